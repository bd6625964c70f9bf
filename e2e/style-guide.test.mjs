// Every component in every state and language: the pages are made of nothing else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inspect, openBrowser, visit } from './support/browser.mjs';
import { startDemo } from './support/server.mjs';

let browser, server;
before(async () => ([browser, server] = await Promise.all([openBrowser(), startDemo()])));
after(() => Promise.all([browser?.close(), server?.stop()]));

for (const state of ['filled', 'empty', 'error']) {
  for (const lang of ['vi', 'en']) {
    test(`components, ${state}, ${lang}`, async () => {
      const visitor = await visit(browser, server, { lang });
      await visitor.page.goto(`/styleguide?state=${state}`);
      assert.equal(await visitor.page.locator('html').getAttribute('lang'), lang);
      await inspect(visitor.page, `styleguide-${state}-${lang}`);
      if (state === 'error') {
        const summary = visitor.page.locator('.mc-error-summary, [role=alert]').first();
        assert.ok(await summary.isVisible(), 'the summary of errors is at the top');
        const targets = await summary.locator('a').evaluateAll((links) => links.map((a) => a.getAttribute('href')));
        assert.ok(targets.length > 0);
        for (const target of targets) {
          assert.equal(await visitor.page.locator(`[id="${target.slice(1)}"]`).count(), 1, `${target} leads to a field`);
        }
      }
      await visitor.close();
    });
  }
}

test('without JavaScript nothing is hidden that is needed', async () => {
  const visitor = await visit(browser, server, { js: false });
  await visitor.page.goto('/styleguide');
  assert.ok(await visitor.page.locator('main h1').first().isVisible());
  assert.ok((await visitor.page.locator('main input:visible, main select:visible').count()) > 10);
  await visitor.close();
});

test('the language is kept from page to page', async () => {
  const visitor = await visit(browser, server, { lang: 'vi' });
  await visitor.page.goto('/styleguide');
  await visitor.page.locator('header a[hreflang=en]').click();
  assert.equal(await visitor.page.locator('html').getAttribute('lang'), 'en');
  await visitor.page.goto('/');
  assert.equal(await visitor.page.locator('html').getAttribute('lang'), 'en');
  await visitor.close();
});
