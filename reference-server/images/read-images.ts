import { imageSize } from 'image-size';
import type { ContentPart, Message } from '../../specs/wire.ts';
import { ApiError } from '../api-error.ts';
import type { Image } from '../backends/backend.ts';
import { type FetchImage, ImageProblem } from './fetch-image.ts';

const readable: ReadonlySet<string | undefined> = new Set(['gif', 'jpg', 'png', 'webp']);

/** Images that one request may hold: each may have to be waited for. */
const mostImages = 20;

/**
 * The images of a conversation, for each message those in it, each seen to be one.
 * @param fetchImage absent where the server fetches nothing
 * @throws ApiError that says which part is wrong
 */
export async function readImages(
  messages: readonly Message[],
  fetchImage: FetchImage | undefined,
  signal: AbortSignal,
): Promise<readonly (readonly Image[])[]> {
  const imagesOf: Image[][] = messages.map(() => []);
  const places = messages.flatMap(({ content }, message) =>
    (Array.isArray(content) ? content : []).flatMap((part, index) =>
      part.type === 'image_url' ? [{ message, index, part }] : [],
    ),
  );
  if (places.length > mostImages) throw refusal(`this server takes at most ${mostImages} images, not ${places.length}`);
  for (const { message, index, part } of places) {
    try {
      imagesOf[message]?.push(await readImage(part, fetchImage, signal));
    } catch (error) {
      if (!(error instanceof ImageProblem)) throw error;
      const where = `messages[${message}].content[${index}].image_url.url`;
      throw refusal(`the image of ${where} cannot be used: ${error.message}`);
    }
  }
  return imagesOf;
}

function refusal(message: string): ApiError {
  return new ApiError('invalid_request', message, { param: 'messages' });
}

async function readImage(
  { image_url: { url = '', detail = 'auto' } = { url: '' } }: ContentPart,
  fetchImage: FetchImage | undefined,
  signal: AbortSignal,
): Promise<Image> {
  const bytes = /^data:/i.test(url) ? bytesOfDataUrl(url) : await fetched(url, fetchImage, signal);
  try {
    const { width, height, type } = imageSize(bytes);
    if (!readable.has(type)) throw new ImageProblem('it is neither PNG, JPEG, GIF nor WebP');
    return { base64: bytes.toString('base64'), width, height, detail };
  } catch (error) {
    throw error instanceof ImageProblem ? error : new ImageProblem('its data is no image');
  }
}

function bytesOfDataUrl(url: string): Buffer {
  const comma = url.indexOf(',');
  if (!/^data:image\/[a-z+.-]+;base64$/i.test(url.slice(0, comma))) {
    throw new ImageProblem('a data URL must begin with data:image/…;base64,');
  }
  return Buffer.from(url.slice(comma + 1), 'base64');
}

async function fetched(url: string, fetchImage: FetchImage | undefined, signal: AbortSignal): Promise<Buffer> {
  if (!URL.canParse(url)) throw new ImageProblem('it is no URL');
  if (fetchImage) return fetchImage(url, signal);
  throw new ImageProblem('this server fetches no URLs; send the image itself, in a data URL');
}
