import { type Ending, Flight } from '../engine/flight.ts';

/** What came of a chat over a socket. */
export interface SocketAnswer {
  /** 200 and 429 as over REST; 0 for what is neither. */
  readonly status: number;
  /** Of prompt and answer together, where `done` reports them. */
  readonly tokens: number | undefined;
}

export function socketAnswer(ending: Ending, { promptTokens, outputTokens }: Flight): SocketAnswer {
  const isCounted = promptTokens !== undefined && outputTokens !== undefined;
  return { status: socketStatus(ending), tokens: isCounted ? promptTokens + outputTokens : undefined };
}

export function socketStatus(ending: Ending): number {
  return ending === 'succeeded' ? 200 : ending === 'limited' ? 429 : 0;
}

/** A chat of which only its pieces count, and not their times. */
export class UntimedFlight extends Flight {
  readonly #onPiece: () => void;

  constructor(onPiece = () => {}) {
    super(0, 0, false, () => {});
    this.#onPiece = onPiece;
  }

  override content(at: number | undefined): void {
    super.content(at);
    this.#onPiece();
  }
}
