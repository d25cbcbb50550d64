import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { scriptedBackend } from '../backends/scripted.ts';
import type { ServerOptions } from '../server.ts';
import { startRig } from '../test-rig.ts';
import { imageFetcher } from './fetch-image.ts';

const square =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mP4z8CAFTEMLQkAKP8/wc53yE8AAAAASUVORK5CYII=';

async function openEyes(options: Partial<ServerOptions> = {}) {
  const rig = await startRig({ backend: scriptedBackend({ vision: true }), ...options });
  const look = (url: string, detail?: string) =>
    rig.chat({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a b' },
            { type: 'image_url', image_url: { url, detail } },
          ],
        },
      ],
      temperature: 0,
    });
  return { ...rig, look };
}

test.each([
  ['low', 3 + 85],
  ['high', 3 + 255],
  ['auto', 3 + 255],
  [undefined, 3 + 255],
])('an image of the detail %s takes tokens of the prompt', async (detail, tokens) => {
  const { look } = await openEyes();
  expect((await look(square, detail)).json.usage.prompt_tokens).toBe(tokens);
});

test('the image changes the answer', async () => {
  const { look, chat } = await openEyes();
  const blind = await chat({ messages: [{ role: 'user', content: 'a b' }], temperature: 0 });
  const content = ({ json }: typeof blind) => json.choices[0].message.content;
  expect(content(await look(square))).not.toBe(content(blind));
});

test.each([
  ['data:image/png;base64,bm90IGFuIGltYWdl', 'its data is no image'],
  ['data:text/plain;base64,YQ==', 'a data URL must begin with'],
  ['data:image/png,abc', 'a data URL must begin with'],
  ['data:image/svg+xml;base64,PHN2ZyB3aWR0aD0iOCIgaGVpZ2h0PSI4Ii8+', 'neither PNG, JPEG, GIF nor WebP'],
  ['nonsense', 'it is no URL'],
  ['https://example.com/a.png', 'this server fetches no URLs'],
])('%s is refused with 400, and the message says where and why', async (url, words) => {
  const { look } = await openEyes();
  const { status, json } = await look(url);
  expect([status, json.error.code, json.error.param]).toEqual([400, 'invalid_request', 'messages']);
  expect(json.error.message).toContain('messages[0].content[1].image_url.url');
  expect(json.error.message).toContain(words);
});

test('more images than a server wants to wait for are refused', async () => {
  const { chat } = await openEyes();
  const images = (count: number) =>
    Array.from({ length: count }, () => ({ type: 'image_url', image_url: { url: square } }));
  const ask = (count: number) => chat({ messages: [{ role: 'user', content: images(count) }] });
  expect((await ask(10)).status).toBe(200);
  expect((await ask(21)).json.error.message).toBe('this server takes at most 20 images, not 21');
});

test('an image by its URL is fetched where that is allowed, and not from inside the network', async () => {
  const bytes = Buffer.from(square.slice(square.indexOf(',') + 1), 'base64');
  const host = createServer((_, response) => response.setHeader('content-type', 'image/png').end(bytes));
  await once(host.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    host.close();
    host.closeAllConnections();
  });
  const { port } = host.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/a.png`;
  const trusting = await openEyes({ fetchImage: imageFetcher({ allowedAddresses: ['127.0.0.1'] }) });
  expect((await trusting.look(url, 'low')).json.usage.prompt_tokens).toBe(3 + 85);
  const careful = await openEyes({ fetchImage: imageFetcher() });
  const refused = await careful.look(url);
  expect([refused.status, refused.json.error.message]).toEqual([400, expect.stringContaining('does not ask')]);
});
