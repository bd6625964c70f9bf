// Trouble as people meet it: a double click, a lost connection, two officers at once, a draft on another device, bad files.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dossier, post } from './support/desk.mjs';
import { inspect, openBrowser, visit } from './support/browser.mjs';
import { answerAll, file, path } from './support/filing.mjs';
import { fill, pdf, proceed } from './support/form.mjs';
import { startDemo } from './support/server.mjs';

let browser, server;
before(async () => ([browser, server] = await Promise.all([openBrowser(), startDemo()])));
after(() => Promise.all([browser?.close(), server?.stop()]));

const CERTIFICATE = '1.004873';
const ANSWERS = {
  'request.for_whom': 'self',
  'residence.period': 'current',
  'residence.several': 'false',
  'marital.status': 'single',
  'purpose.kind': 'other',
  'previous.issued': 'false',
  'fee.exemption': 'none',
};

async function begin(role = 'citizen', options = {}) {
  const visitor = await visit(browser, server, options);
  await visitor.signIn(role);
  await visitor.page.goto(`/apply/${CERTIFICATE}/start`);
  const begun = visitor.page.locator('main .mc-actions a[href^="/drafts/"]');
  if ((await begun.count()) > 0) await Promise.all([visitor.page.waitForURL('**/drafts/**'), begun.first().click()]);
  else await proceed(visitor.page);
  const draft = path(visitor.page).split('/').slice(0, 3).join('/');
  return { visitor, draft };
}

test('an empty page of questions is refused with every problem at its field', async () => {
  const { visitor, draft } = await begin();
  const { page } = visitor;
  await page.goto(draft);
  const pages = await page.locator(`.mc-tasks a[href*="/pages/"]`).evaluateAll((links) => links.map((a) => a.href));
  let refused = 0;
  for (const href of pages) {
    await page.goto(href);
    const empty = await page.locator('main form').last().locator('input[type=radio]').count();
    if (empty === 0) continue;
    const answer = page.waitForResponse((response) => response.request().method() === 'POST' && response.request().isNavigationRequest());
    await page.locator('main form').last().locator('button').first().click();
    if ((await answer).status() !== 422) continue;
    refused += 1;
    await page.locator('.mc-error-summary').waitFor();
    if (refused === 1) await inspect(page, 'trouble-questions-refused');
    const target = await page.locator('.mc-error-summary a').first().getAttribute('href');
    await page.locator('.mc-error-summary a').first().click();
    assert.ok(await page.locator(`[id="${target.slice(1)}"]`).count(), 'the summary leads to the field');
  }
  assert.ok(refused > 0, 'some page has a question that must be answered');
  await visitor.close();
});

test('a draft goes on at another device, and two clicks file one dossier', async () => {
  const { visitor, draft } = await begin();
  await answerAll(visitor.page, draft, { answers: ANSWERS });
  await visitor.close();

  const again = await begin('citizen', { width: 390 });
  assert.equal(again.draft, draft, 'the same draft');
  const { page, context } = again.visitor;
  await page.goto(`${draft}/check`);
  await fill(page);
  const form = await page.locator('main form').last().evaluate((f) => Object.fromEntries(new FormData(f)));
  const send = () => context.request.post(`${server.origin}${draft}/check`, { form, maxRedirects: 0, headers: { origin: server.origin } });
  const answers = await Promise.all([send(), send(), send()]);
  const places = answers.map((answer) => answer.headers().location?.split('?')[0]);
  assert.deepEqual([...new Set(answers.map((answer) => answer.status()))], [303], 'every click gets an answer');
  assert.equal(new Set(places).size, 1, `one dossier: ${places}`);
  await again.visitor.close();
});

test('two officers on one step: one effect, and the other is told who was faster', async () => {
  const citizen = await visit(browser, server);
  await citizen.signIn('citizen');
  const { code } = await file(citizen.page, CERTIFICATE, { answers: ANSWERS });
  const officers = await Promise.all([visit(browser, server), visit(browser, server)]);
  for (const officer of officers) await officer.signIn('receptionist');
  const { id, tasks } = await dossier(officers[0].page, code);
  const [task] = tasks;
  const receive = ({ page }) => post(page, `/api/v1/dossiers/${id}/tasks/${task.token}`, { outcome: 'accept' });
  const both = await Promise.all(officers.map(receive));
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
  const loser = JSON.parse(both.find(({ status }) => status === 409).text);
  assert.match(JSON.stringify(loser), /"vi":"[^"]+"/, 'told in Vietnamese too');
  const history = await officers[0].page.evaluate((id) => fetch(`/api/v1/dossiers/${id}/history`).then((r) => r.json()).then(({ items }) => items), id);
  const now = await dossier(officers[0].page, code);
  assert.equal(history.filter((line) => line.at === now.received_at).length >= 1, true);
  await Promise.all([...officers, citizen].map((visitor) => visitor.close()));
});

test('a file that is not what it says, or carries a program, is refused with the reason', async () => {
  const { visitor, draft } = await begin('business', { js: 'blocked' });
  const { page } = visitor;
  await answerAll(page, draft, { answers: ANSWERS, papers: { 'residence-proof': null } });
  await page.goto(`${draft}/papers/residence-proof`);
  for (const [name, type, body] of [
    ['giay-to.pdf', 'application/pdf', Buffer.from('<html><script>alert(1)</script></html>')],
    ['anh.png', 'image/png', Buffer.from('MZ\x90\x00 this program cannot be run in DOS mode')],
    ['co-ma.pdf', 'application/pdf', Buffer.from(pdf().toString('latin1').replace('/Pages 2 0 R', '/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>'), 'latin1')],
    ['rong.pdf', 'application/pdf', Buffer.alloc(0)],
  ]) {
    await page.locator('main input[type=file]').setInputFiles({ name, mimeType: type, buffer: body });
    const answer = page.waitForResponse((response) => response.request().method() === 'POST' && response.request().isNavigationRequest());
    await page.locator('main form:has(input[type=file]) button').first().click();
    const { status } = { status: (await answer).status() };
    assert.ok(status >= 400 && status < 500, `${name}: ${status}`);
    assert.ok(await page.locator('.mc-error-summary').isVisible(), name);
    if (name === 'co-ma.pdf') await inspect(page, 'trouble-file-refused');
    await page.goto(`${draft}/papers/residence-proof`);
    assert.equal(await page.getByText(name).count(), 0, `${name} is not kept`);
  }
  await visitor.close();
});

test('an upload goes on after the connection was lost', async () => {
  const { visitor, draft } = await begin('citizen');
  const { page, context } = visitor;
  await answerAll(page, draft, { answers: ANSWERS, papers: { 'residence-proof': null } });
  await page.goto(`${draft}/papers/residence-proof`);
  // Three pieces; the line breaks at the second, once.
  let broken = 0;
  await context.route('**/uploads/**', (route) => {
    if (route.request().method() === 'PATCH' && broken === 0 && Number(route.request().headers()['upload-offset']) > 0) {
      broken += 1;
      return route.abort('connectionreset');
    }
    return route.continue();
  });
  const body = Buffer.concat([pdf(), Buffer.alloc(2_600_000, '\n% ')]);
  await page.locator('main input[type=file]').setInputFiles({ name: 'lon.pdf', mimeType: 'application/pdf', buffer: body });
  await page.locator('main form input[type=hidden][name$=".upload"]').waitFor({ state: 'attached', timeout: 60_000 });
  assert.equal(broken, 1, 'the line was broken');
  await proceed(page);
  await page.goto(`${draft}/papers/residence-proof`);
  const { createHash } = await import('node:crypto');
  assert.match(await page.locator('main').innerText(), new RegExp(createHash('sha256').update(body).digest('hex'), 'i'), 'whole, as its digest says');
  await visitor.close();
});

test('one person never sees another\'s dossier', async () => {
  const one = await visit(browser, server);
  await one.signIn('citizen');
  const { code } = await file(one.page, CERTIFICATE, { answers: ANSWERS });
  const other = await visit(browser, server);
  await other.signIn('business');
  for (const place of [`/dossiers/${encodeURIComponent(code)}`, `/dossiers/${encodeURIComponent(code)}/supplement`]) {
    const answer = await other.page.goto(place);
    assert.ok([403, 404].includes(answer.status()), `${place}: ${answer.status()}`);
  }
  const nobody = await visit(browser, server);
  await nobody.page.goto(`/dossiers/${encodeURIComponent(code)}`);
  assert.match(nobody.page.url(), /\/sign-in/);
  await Promise.all([one, other, nobody].map((visitor) => visitor.close()));
});
