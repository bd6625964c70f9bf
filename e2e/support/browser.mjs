// A real Chromium, and what every page must hold: no serious finding of axe, usable at 390 pixels, nothing broken in silence.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const AXE = createRequire(import.meta.url)('axe-core').source;
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const SHOTS = fileURLToPath(new URL('../shots/', import.meta.url));

/** The two widths at which pages are looked at. */
export const WIDTHS = [390, 1280];

/** Starts Chromium. Without background networking: it must not try to reach anything but the server under test. */
export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * A visitor with cookies of their own.
 * `js: false` is a browser without JavaScript; `'blocked'` one whose line lost the scripts (there axe can still look); `lang` what the browser asks for; `slow` delays every answer by so many ms.
 * `visitor.page` is the page; `visitor.signIn(role)` uses the demonstration's roles; `visitor.close()` also
 * fails on script errors, refused content, server errors and requests to other hosts.
 */
export async function visit(browser, server, { js = true, width = 1280, lang = 'vi-VN', slow = 0, allow = [] } = {}) {
  const context = await browser.newContext({
    baseURL: server.origin,
    javaScriptEnabled: js !== false,
    viewport: { width, height: 900 },
    locale: lang,
    timezoneId: 'Asia/Ho_Chi_Minh',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(10_000);
  const hosts = new Set([new URL(server.origin).host, ...allow.map((origin) => new URL(origin).host)]);
  const wrong = [];
  context.on('console', (message) => {
    // What the server refused is told by its status below.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      wrong.push(`console: ${message.text()} (${message.location().url})`);
    }
  });
  context.on('weberror', (error) => wrong.push(`script: ${error.error().message}`));
  context.on('response', (response) => {
    if (response.status() >= 500) wrong.push(`${response.status()} ${response.request().method()} ${response.url()}`);
  });
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && !hosts.has(url.host)) wrong.push(`request to another host: ${url}`);
  });
  if (js === 'blocked') await context.route('**/*.js', (route) => route.abort());
  if (slow > 0) {
    await context.route('**/*', async (route) => {
      await setTimeout(slow);
      await route.continue();
    });
  }
  const page = await context.newPage();
  return {
    context,
    page,
    wrong,
    async signIn(role) {
      await page.goto('/sign-in');
      await page.locator(`form[action="/sign-in/demo"] button[value=${role}]`).click();
      await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'));
    },
    /** No network at all, or again. */
    offline: (yes) => context.setOffline(yes),
    async close() {
      await context.close();
      assert.deepEqual(wrong, [], 'nothing went wrong unseen');
    },
  };
}

/** Fails on serious and critical findings of axe at WCAG 2.2 AA; returns the lesser ones. */
export async function accessible(page, what = page.url()) {
  await page.evaluate(AXE);
  const looked = page.evaluate(
    (tags) => globalThis.axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] }),
    TAGS,
  );
  // In a browser without JavaScript axe would wait for ever.
  const { violations } = await Promise.race([looked, setTimeout(60_000, null, { ref: false }).then(() => assert.fail(`${what}: axe gives no answer`))]);
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const told = grave.map(({ id, help, nodes }) => {
    const where = nodes.slice(0, 3).map((node) => `${node.target.join(' ')}  ${node.html.slice(0, 160)}`);
    return `${id}: ${help}\n    ${where.join('\n    ')}`;
  });
  assert.equal(told.length, 0, `${what}:\n  ${told.join('\n  ')}`);
  return violations;
}

/** Fails when the page is wider than the window, or something to press is smaller than WCAG 2.2's 24 pixels. */
export async function fits(page, what = page.url()) {
  const { wide, small } = await page.evaluate(() => {
    const limit = document.documentElement.clientWidth;
    const shown = (element) => {
      const { width, height } = element.getBoundingClientRect();
      return width > 1 && height > 1 && getComputedStyle(element).visibility === 'visible';
    };
    const name = (element) => `${element.tagName.toLowerCase()}.${element.className} "${(element.textContent ?? '').trim().slice(0, 40)}"`;
    const scrolls = (element) => {
      for (let up = element.parentElement; up; up = up.parentElement) {
        if (/auto|scroll|hidden|clip/.test(getComputedStyle(up).overflowX)) return true;
      }
      return false;
    };
    const wide =
      document.documentElement.scrollWidth > limit
        ? [...document.body.querySelectorAll('*')]
            .filter((e) => shown(e) && e.getBoundingClientRect().right > limit + 1 && !scrolls(e))
            .slice(0, 5)
            .map(name)
            .concat(`page ${document.documentElement.scrollWidth} px in ${limit} px`)
        : [];
    const small = [...document.querySelectorAll('button, select, summary, input:not([type=hidden])')]
      .filter((e) => shown(e) && e.getBoundingClientRect().height < 24 && !['checkbox', 'radio'].includes(e.type))
      .slice(0, 5)
      .map(name);
    return { wide, small };
  });
  assert.deepEqual(wide, [], `${what}: wider than the window`);
  assert.deepEqual(small, [], `${what}: too small to press`);
}

/** A page in the state it is in: pictures at both widths, accessible, and not wider than the window. */
export async function inspect(page, name) {
  await mkdir(SHOTS, { recursive: true });
  const before = page.viewportSize();
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: `${SHOTS}${name}-${width}.png`, fullPage: true });
    await fits(page, `${name} at ${width}`);
  }
  await accessible(page, name);
  await page.setViewportSize(before);
}
