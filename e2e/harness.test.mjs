// The checks of this folder find what they are for: a check that cannot fail would be worth nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, fits, openBrowser } from './support/browser.mjs';

let browser, page;
before(async () => {
  browser = await openBrowser();
  page = await (await browser.newContext({ viewport: { width: 390, height: 800 } })).newPage();
});
after(() => browser?.close());

const show = (main) =>
  page.setContent(`<!doctype html><html lang="vi"><meta name="viewport" content="width=device-width"><title>Trang thử</title><main><h1>Thử</h1>${main}</main>`);

test('a good page passes', async () => {
  await show('<p>Đủ rõ.</p><button style="min-height:44px">Tiếp tục với hồ sơ này</button>');
  await fits(page);
  await accessible(page);
});

test('a wide page and a small button are found', async () => {
  await show('<div style="width:900px">rộng</div>');
  await assert.rejects(fits(page), /wider than the window/);
  await show('<button style="height:12px;padding:0;border:0">nhỏ</button>');
  await assert.rejects(fits(page), /too small to press/);
  await show('<div style="overflow-x:auto"><div style="width:900px">cuộn được</div></div>');
  await fits(page);
});

test('pale text, a picture without words, a field without a name are found', async () => {
  for (const [html, rule] of [
    ['<p style="color:#ccc">nhạt</p>', /color-contrast/],
    ['<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', /image-alt/],
    ['<input>', /label/],
  ]) {
    await show(html);
    await assert.rejects(accessible(page), rule);
  }
});
