// Filing as a person does it: from the page of the procedure to the receipt, one page of questions after another.
import assert from 'node:assert/strict';
import { fill, pdf, proceed } from './form.mjs';

/**
 * Files a dossier of the procedure and returns its code and secret. `answers` by field id (see `fill`); `papers` by paper id: files.
 * `look(page, name)` is called on each kind of page that is met for the first time. `direct` begins at the form, as a link from elsewhere does.
 */
export async function file(page, procedure, { answers = {}, papers = {}, look = async () => {}, direct = false } = {}) {
  await page.goto(`/${direct ? 'apply' : 'services'}/${procedure}`);
  if (!direct) {
    await look(page, 'service');
    await page.locator(`main a[href*="/apply/${procedure}"]`).first().click();
  }
  await look(page, 'apply-start');
  // Somebody who began before goes on with the draft.
  const begun = page.locator('main .mc-actions a[href^="/drafts/"]');
  if ((await begun.count()) > 0) await Promise.all([page.waitForURL('**/drafts/*'), begun.first().click()]);
  else await proceed(page);
  if (!/^\/drafts\/[^/]+$/.test(path(page))) await page.goto(path(page).split('/').slice(0, 3).join('/'));
  assert.match(path(page), /^\/drafts\/[^/]+$/, 'the list of what is to be done');
  const draft = path(page);
  await look(page, 'draft-tasks');
  await answerAll(page, draft, { answers, papers, look });
  await page.goto(`${draft}/check`);
  await look(page, 'draft-check');
  await fill(page, answers);
  await proceed(page);
  await page.waitForURL(/\/dossiers\//);
  await look(page, 'dossier-filed');
  const code = decodeURIComponent(path(page).split('/')[2]);
  const text = await page.locator('main').innerText();
  const [secret] = text.match(/\b[0-9A-HJKMNP-TV-Z]{4}(?:[ -][0-9A-HJKMNP-TV-Z]{4}){3}\b/) ?? [];
  assert.ok(text.includes(code), 'the page names the code');
  assert.ok(secret, 'the secret for tracking is shown once');
  return { code, secret };
}

/** Works through the list of pages and papers, which grows and shrinks with the answers. */
export async function answerAll(page, draft, { answers = {}, papers = {}, look = async () => {} } = {}) {
  const done = new Set();
  for (;;) {
    await page.goto(draft);
    const tasks = await page.locator(`.mc-tasks a[href^="${draft}/"]`).evaluateAll((links) => links.map((a) => new URL(a.href).pathname));
    const next = tasks.find((task) => /\/(pages|papers)\//.test(task) && !done.has(task));
    if (!next) return;
    done.add(next);
    await page.goto(next);
    if (next.includes('/papers/')) {
      await look(page, 'draft-paper');
      await upload(page, papers[next.split('/').pop()]);
    } else {
      await look(page, 'draft-page');
      // An answer may reveal another question on the same page: the page then comes again, without reproach.
      for (let turn = 0; turn < 4 && path(page) === next; turn += 1) {
        await fill(page, answers);
        await proceed(page);
      }
      assert.notEqual(path(page), next, `${next} goes on`);
    }
  }
}

/** Uploads the files of a paper and goes on; without files of its own, a small PDF; `null` leaves an optional paper out. */
export async function upload(page, files = [{ name: 'giay-to.pdf', type: 'application/pdf', body: pdf() }]) {
  const input = page.locator('main input[type=file]');
  if (files !== null) {
    await input.setInputFiles(files.map(({ name, type, body }) => ({ name, mimeType: type, buffer: body })));
    // With JavaScript the files go up in pieces as soon as they are chosen, and lose their name in the form; without, they go with the form.
    if ((await input.getAttribute('name')) === null) {
      await page.locator('main form input[type=hidden][name$=".upload"]').nth(files.length - 1).waitFor({ state: 'attached' });
    }
  }
  await proceed(page);
}

export const path = (page) => new URL(page.url()).pathname;
