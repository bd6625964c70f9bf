// The officers' side of a dossier, at the desk.
import assert from 'node:assert/strict';
import { fill, proceed } from './form.mjs';

const place = (code) => `/desk/dossiers/${encodeURIComponent(code)}`;

/** The dossier with this code as the JSON API gives it to the officer who is signed in on this page. */
export async function dossier(page, code) {
  return page.evaluate(async (code) => {
    const get = async (path) => {
      const answer = await fetch(path, { headers: { accept: 'application/json' } });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    };
    for (let after = ''; ; ) {
      const list = await get(`/api/v1/dossiers?limit=100${after && `&cursor=${encodeURIComponent(after)}`}`);
      const found = list.items.find((item) => item.code === code);
      if (found) return get(`/api/v1/dossiers/${found.id}`);
      if (!list.next) throw new Error(`the desk does not know ${code}`);
      after = list.next;
    }
  }, code);
}

/** On the page of the dossier: completes the open step with this outcome, with these fields where it asks for some. */
export async function complete(page, code, outcome, fields = {}, look = async () => {}) {
  await page.goto(place(code));
  await look(page, 'desk-dossier');
  const direct = page.locator(`main form[action*="/tasks/"][action$="/${outcome}"] button`);
  const asks = page.locator(`main a[href*="/tasks/"][href$="/${outcome}"]`);
  assert.equal((await direct.count()) + (await asks.count()), 1, `${code} offers ${outcome} to this officer; the page says: ${await page.locator('main section').first().innerText()}`);
  if ((await direct.count()) > 0) {
    await Promise.all([page.waitForEvent('load'), direct.click()]);
  } else {
    await Promise.all([page.waitForURL(`**/${outcome}`), asks.click()]);
    await look(page, `desk-${outcome}`);
    await fill(page, fields);
    await proceed(page);
  }
  assert.equal(await page.locator('.mc-error-summary').count(), 0, `${outcome} was accepted`);
}

/** Waits until this step is to be done, which a job of the platform opens. */
export async function opened(page, code, step) {
  let tasks = [];
  for (let n = 0; n < 60; n += 1) {
    ({ tasks } = await dossier(page, code));
    if (tasks.some((task) => task.step === step)) return;
    await page.waitForTimeout(500);
  }
  assert.fail(`${step} of ${code} is not open after 30 s; there are ${JSON.stringify(tasks)}`);
}

/** Waits until the platform has drawn the document of this kind (receipt, result): a job does it within seconds, half a minute later where registries are told before. */
export async function drawn(page, code, kind) {
  let documents = [];
  for (let n = 0; n < 150; n += 1) {
    ({ documents } = await dossier(page, code));
    if (documents.some((document) => document.kind === kind)) return;
    await page.waitForTimeout(500);
  }
  assert.fail(`no ${kind} for ${code} after 75 s; there are ${JSON.stringify(documents)}`);
}

/** The first dossier in the queue with this code: what an officer finds at the desk in the morning. */
export async function queued(page, code, look = async () => {}) {
  await page.goto('/desk');
  await look(page, 'desk-queue');
  await page.locator(`main a[href="${place(code)}"]`).first().waitFor();
}

/** An agency that was asked answers. */
export async function answerConsultation(page, code, fields, look = async () => {}) {
  await page.goto('/desk');
  await look(page, 'desk-consultations');
  await page.locator('main a[href*="/consultations/"]').filter({ hasText: code }).click();
  await look(page, 'desk-opinion');
  await fill(page, fields);
  await proceed(page);
}

/** Money came in at the counter. */
export async function takePayment(page, code, reference) {
  await page.goto(place(code));
  const form = page.locator('main form[action$="/payment"]');
  await form.locator('input[name=reference]').fill(reference);
  await Promise.all([page.waitForEvent('load'), form.locator('button').click()]);
  assert.equal(await page.locator('.mc-error-summary').count(), 0, 'the payment was recorded');
}

/** Posts JSON in the session of the page. */
export function post(page, path, body) {
  return page.evaluate(
    async ([path, body]) => {
      const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      return { status: answer.status, text: await answer.text() };
    },
    [path, body],
  );
}
