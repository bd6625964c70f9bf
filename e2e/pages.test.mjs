// Walks the site as each kind of visitor, following every link: each page answers, is accessible, fits a telephone, speaks both languages.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, fits, openBrowser, visit } from './support/browser.mjs';
import { startDemo } from './support/server.mjs';

let browser, server;
before(async () => ([browser, server] = await Promise.all([openBrowser(), startDemo()])));
after(() => Promise.all([browser?.close(), server?.stop()]));

const WALKERS = [null, 'citizen', 'business', 'receptionist', 'specialist', 'leader', 'consulted', 'administrator', 'auditor'];

/** At most so many pages for one visitor: a guard against a site without end. */
const MOST = 60;

/** Pages that are for whoever is signed in; all others are the same for everybody, and looked at once. */
const OWN = /^\/(account|admin|apply|desk|dossiers|drafts|my)\b/;
const looked = new Set();

/** Two addresses of one kind of page: codes, ids and cursors are put aside. */
export function kind(url) {
  const path = url.pathname
    .split('/')
    .map((part) => (/[0-9]/.test(part) || part.length > 24 ? '*' : part))
    .join('/');
  return `${path}?${[...new Set(url.searchParams.keys())].sort().join('&')}`;
}

/** Not a page to look at: a file, data, the language switch, the other end of a session. */
function skip(url) {
  const file = /\.(csv|json|pdf|svg|png|bpmn|xml|txt|woff2)$/.test(url.pathname);
  return file || url.searchParams.has('lang') || /^\/(assets|api|metrics|healthz|readyz)\b|\/(sign-out|documents|files|checkpoint)\b/.test(url.pathname);
}

for (const role of WALKERS) {
  test(`pages for ${role ?? 'a visitor'}`, async () => {
    const visitor = await visit(browser, server);
    const { page } = visitor;
    if (role) await visitor.signIn(role);
    const waiting = [new URL(role ? page.url() : '/', server.origin), new URL('/', server.origin)];
    const known = new Set(waiting.map(kind));
    const wrong = [];
    let seen = 0;
    while (waiting.length > 0 && seen < MOST) {
      const url = waiting.shift();
      seen += 1;
      looked.add(kind(url));
      try {
        await look(page, url, role);
      } catch (error) {
        wrong.push(`${url.pathname}${url.search}: ${error.message}`);
      }
      const links = await page.locator('a[href]').evaluateAll((all) => all.filter((a) => !a.hasAttribute('download')).map((a) => a.href));
      for (const link of links) {
        const next = new URL(link);
        next.hash = '';
        if (next.origin !== server.origin || skip(next) || known.has(kind(next))) continue;
        known.add(kind(next));
        if (OWN.test(next.pathname) || !looked.has(kind(next))) waiting.push(next);
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(known.size > 2, 'the front page leads on');
    await visitor.close();
  });
}

async function look(page, url, role) {
  await page.setViewportSize({ width: 390, height: 900 });
  const answer = await page.goto(url.href);
  assert.equal(answer.status(), 200, `status ${answer.status()}`);
  assert.equal(await page.locator('h1').count(), 1, 'one main heading');
  assert.ok((await page.title()).length > 5, 'a title');
  assert.equal(await page.locator('html').getAttribute('lang'), 'vi');
  await fits(page);
  await accessible(page, `${role ?? 'visitor'} ${url.pathname} at 390`);
  await page.setViewportSize({ width: 1280, height: 900 });
  await fits(page);
  const english = new URL(url);
  english.searchParams.set('lang', 'en');
  await page.goto(english.href);
  assert.equal(await page.locator('html').getAttribute('lang'), 'en', 'the English page says so');
  const vietnamese = new URL(url);
  vietnamese.searchParams.set('lang', 'vi');
  await page.goto(vietnamese.href);
}
