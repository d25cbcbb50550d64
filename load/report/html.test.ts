import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoadResult } from '../../specs/wire.ts';
import { chartsOf } from './charts.ts';
import { renderHtml } from './html.ts';
import { sampleCapacity, sampleResult } from './sample-result.ts';

/** The browser of the test comes as a package, which has it for this platform alone. */
const hasBrowser = process.platform === 'linux' && process.arch === 'x64';

test('the page holds everything, and text of the target is text', () => {
  const html = renderHtml(sampleResult());
  expect(html).not.toMatch(/(?:src|href)=/);
  expect(html).toContain('&lt;b&gt;maker&lt;/b&gt;/small');
  expect(html).toContain('&lt;/script&gt; is text');
  expect(html).toContain('stack29-conformance load steady --url http://127.0.0.1:3000/v1');
});

/** What of a canvas of a page is read here. */
interface Canvas {
  readonly width: number;
  readonly height: number;
  getContext(kind: '2d'): { getImageData(...box: number[]): { readonly data: Uint8ClampedArray } };
}

describe.skipIf(!hasBrowser)('in a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stack29-test-'));
  let browser: Browser;

  beforeAll(async () => {
    const { default: binary } = await import('@sparticuz/chromium');
    browser = await chromium.launch({ executablePath: await binary.executablePath(), args: ['--no-sandbox'] });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  /** Opens the page of a result without a network, and gives what the browser complained of. */
  async function open(result: LoadResult, locale = 'en-US'): Promise<{ page: Page; problems: string[] }> {
    const file = join(folder, `${Math.random()}.html`);
    writeFileSync(file, renderHtml(result));
    const context = await browser.newContext({
      locale,
      offline: true,
      viewport: { width: 1100, height: 900 },
    });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('pageerror', ({ message }) => problems.push(message));
    page.on('console', (message) => problems.push(message.text()));
    page.on('request', (request) => {
      if (request.url() !== String(pathToFileURL(file))) problems.push(`asked for ${request.url()}`);
    });
    await page.goto(String(pathToFileURL(file)));
    return { page, problems };
  }

  test.each([
    ['of traffic', sampleResult()],
    ['of a search', sampleCapacity()],
  ])(
    'a report %s opens offline, and shows each plot in its own place',
    async (_, result) => {
      const { page, problems } = await open(result);
      const titles = chartsOf(result).map(({ title }) => title);
      expect(titles).toContain('Latency distributions');
      await expect(page.locator('.u-title').allTextContents()).resolves.toEqual(titles);
      const boxes = await page.locator('canvas').evaluateAll((canvases) =>
        canvases.map((canvas) => {
          const { x, y, width, height } = canvas.getBoundingClientRect();
          return { x, y, right: x + width, bottom: y + height };
        }),
      );
      expect(boxes).toHaveLength(titles.length);
      for (const [index, one] of boxes.entries()) {
        expect([one.x >= 0, one.right <= 1100]).toEqual([true, true]);
        for (const other of boxes.slice(index + 1)) {
          const isApart =
            one.right <= other.x || other.right <= one.x || one.bottom <= other.y || other.bottom <= one.y;
          expect([one, other, isApart]).toEqual([one, other, true]);
        }
      }
      expect(problems).toEqual([]);
      const screenshot = await page.screenshot({ fullPage: true, path: join(folder, 'report.png') });
      expect(screenshot.length).toBeGreaterThan(30_000);
      await page.context().close();
    },
    60_000,
  );

  test('plots are drawn in a browser whose language is none that there is', async () => {
    const { page, problems } = await open(sampleResult(), 'en-US@posix');
    await expect(page.locator('canvas').count()).resolves.toBe(chartsOf(sampleResult()).length);
    expect(problems).toEqual([]);
    await page.context().close();
  }, 60_000);

  test('the curves are drawn, and the knee is marked', async () => {
    const { page } = await open(sampleCapacity());
    /** How many points of a plot have about this colour. */
    const painted = (plot: number, [red, green, blue]: readonly number[]) =>
      page
        .locator('canvas')
        .nth(plot)
        .evaluate(
          (canvas: Canvas, wanted) => {
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let at = 0; at < data.length; at += 4) {
              const near = wanted.every((value, channel) => Math.abs((data[at + channel] ?? 0) - (value ?? 0)) < 24);
              if (near && (data[at + 3] ?? 0) > 200) count += 1;
            }
            return count;
          },
          [red, green, blue],
        );
    const titles = chartsOf(sampleCapacity()).map(({ title }) => title);
    const blue = [37, 99, 201];
    for (const plot of titles.keys())
      expect([titles[plot], await painted(plot, blue)]).toEqual([
        titles[plot],
        expect.toSatisfy((count: number) => count > 20),
      ]);
    expect(await painted(0, [51, 51, 51])).toBeGreaterThan(50);
    await page.context().close();
  }, 60_000);
});
