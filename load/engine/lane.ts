/** A send is late when the client sets about it later than this after its due time. */
export const lateAfterMs = 10;

/** A request that takes longer has failed, unless its profile says otherwise. */
export const defaultTimeoutSeconds = 120;

/** A user whose request failed waits this long, so that a target that is down is not stormed. */
export const pauseMs = 50;
