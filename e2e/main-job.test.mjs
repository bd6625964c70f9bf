// The main job, whole: a person files each of the four procedures, the one-stop receives it, officers process it, a leader decides,
// the person gets the result, and a stranger with the secret can follow it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerConsultation, complete, dossier, drawn, opened, queued, takePayment } from './support/desk.mjs';
import { inspect, openBrowser, visit } from './support/browser.mjs';
import { file, upload } from './support/filing.mjs';
import { PERMIT, day } from './support/permit.mjs';
import { startDemo } from './support/server.mjs';

let browser, server;
before(async () => ([browser, server] = await Promise.all([openBrowser(), startDemo()])));
after(() => Promise.all([browser?.close(), server?.stop()]));

/** Who does which step, with which outcome and fields. */
const STEPS = {
  receive: ['receptionist', 'accept'],
  review: ['specialist', 'ok'],
  inspect: ['specialist', 'done', { date: day(0), result: 'conform' }],
  draft: ['specialist', 'propose-approve'],
  sign: ['leader', 'approve'],
  // A town that has joined nobody has no registry to tell: its officer does it outside.
  mend: ['specialist', 'by-hand', { settled: 'Đã báo cơ quan quản lý dân cư cấp số định danh qua hệ thống của ngành.' }],
  deliver: ['receptionist', 'delivered', { delivery: 'counter' }],
};

const PROCEDURES = [
  {
    code: '1.001193',
    name: 'birth registration',
    steps: ['receive', 'review', 'sign', 'mend', 'deliver'],
    answers: {
      'requester.relation': 'father',
      'child.situation': 'ordinary',
      'child.name': 'Nguyễn Minh Khôi',
      'child.birth_date': day(10),
      'child.sex': 'male',
      'child.birth_at': 'facility',
      'child.birth_facility': 'Bệnh viện Sản Nhi tỉnh Ninh Bình',
      'birth.proof': 'electronic',
      'parents.known': 'both',
      'parents.married': 'true',
      'spouse.name': 'Trần Thị Hoà',
      'spouse.birth_date': '20/08/1992',
      'spouse.person_number': '037192004321',
      'marriage.certificate': 'known',
      'marriage.number': '45/2019',
      'marriage.registered_on': '12/05/2019',
      'marriage.office': 'Ủy ban nhân dân phường Hoa Lư',
    },
  },
  {
    code: '1.004873',
    name: 'marital-status certificate',
    steps: ['receive', 'review', 'sign', 'deliver'],
    answers: {
      'request.for_whom': 'self',
      'residence.period': 'current',
      'residence.several': 'false',
      'marital.status': 'single',
      'purpose.kind': 'other',
      'purpose.text': 'Bổ sung hồ sơ vay vốn mua nhà.',
      'previous.issued': 'false',
      'fee.exemption': 'none',
    },
  },
  {
    code: '2.000635',
    name: 'civil-status extract',
    steps: ['receive', 'review', 'sign', 'deliver'],
    fee: 16_000,
    answers: {
      'request.for_whom': 'self',
      'event.kind': 'birth',
      'event.office': 'Ủy ban nhân dân phường Hoa Lư, tỉnh Ninh Bình',
      'event.registered': '15/06/1990',
      'request.copies': '2',
      'fee.exemption': 'none',
    },
  },
  {
    code: PERMIT.code,
    name: 'building permit',
    steps: ['receive', 'review', 'inspect', 'draft', 'sign', 'deliver'],
    consults: 'ask_fire',
    answers: PERMIT.answers,
  },
];

const seen = new Set();
/** Pictures and checks of each kind of page, once. */
async function look(page, name) {
  if (seen.has(name)) return;
  seen.add(name);
  await inspect(page, `main-job-${name}`);
}

for (const procedure of PROCEDURES) {
  // Without JavaScript first: it may only improve.
  for (const js of procedure.code === '1.004873' ? [false, true] : [true]) {
    test(`${procedure.name}, from filing to result${js ? '' : ', without JavaScript'}`, async () => {
      const citizen = await visit(browser, server, { js });
      await citizen.signIn('citizen');
      const { code, secret } = await file(citizen.page, procedure.code, { answers: procedure.answers, look });

      const officers = {};
      for (const role of ['receptionist', 'specialist', 'leader', 'consulted']) {
        officers[role] = await visit(browser, server);
        await officers[role].signIn(role);
      }
      const reception = officers.receptionist.page;
      for (const step of procedure.steps) {
        if (step === 'draft' && procedure.consults) await consult(officers, code, procedure.consults);
        // What is handed over must be there; and each document is a line of the log that an open page does not know yet.
        if (step === 'deliver') await drawn(reception, code, 'result');
        const [role, outcome, fields] = STEPS[step];
        if (step === 'mend') await opened(reception, code, step);
        if (!procedure.consults) await queued(officers[role].page, code, look);
        await complete(officers[role].page, code, outcome, fields, look);
        if (step === 'receive') {
          // What must be paid before processing stops the clock until it is.
          await pay(reception, code, procedure.fee);
          await received(reception, code, procedure.fee);
          await drawn(reception, code, 'receipt');
        }
      }
      const end = await dossier(reception, code);
      assert.deepEqual(end.tasks, [], 'nothing is left to do');
      assert.equal(end.decision, 'approved');
      assert.equal(end.delivery, 'delivered');

      await result(citizen, code);
      await tracked(code, secret, citizen);
      await citizen.close();
      for (const officer of Object.values(officers)) await officer.close();
    });
  }
}

test('papers asked for once, sent, and the time starts anew', async () => {
  const citizen = await visit(browser, server);
  await citizen.signIn('business');
  const certificate = PROCEDURES.find(({ code }) => code === '1.004873');
  const { code } = await file(citizen.page, certificate.code, { answers: certificate.answers });
  const officer = await visit(browser, server);
  await officer.signIn('receptionist');
  await complete(officer.page, code, 'accept');
  const before = await dossier(officer.page, code);
  const specialist = await visit(browser, server);
  await specialist.signIn('specialist');
  const { page } = specialist;
  await page.goto(`/desk/dossiers/${encodeURIComponent(code)}`);
  const places = async (name) => page.locator(`select[name="${name}"] option`).evaluateAll((all) => all.map((o) => o.value).filter(Boolean));
  await page.locator('main a[href$="/supplement"]').click();
  const [reason] = await places('items.0.reason');
  const fields = { 'items.0.at': 'residence-proof', 'items.0.reason': reason, 'items.0.text': 'Gửi ảnh chụp giấy xác nhận cư trú.' };
  await complete(page, code, 'supplement', fields, look);
  const paused = await dossier(officer.page, code);
  assert.equal(paused.due_at, null, 'the clock stands while papers are awaited');

  await citizen.page.goto(`/dossiers/${encodeURIComponent(code)}`);
  await look(citizen.page, 'dossier-asked');
  await citizen.page.goto(`/dossiers/${encodeURIComponent(code)}/supplement`);
  await look(citizen.page, 'dossier-supplement');
  await upload(citizen.page);
  const after = await dossier(officer.page, code);
  assert.ok(after.due_at && Date.parse(after.due_at) >= Date.parse(before.due_at), 'and runs again, from the start');
  assert.equal(after.papers.find(({ paper }) => paper === 'residence-proof')?.files.length, 1);

  // The officer reads the new paper beside the data.
  await page.goto(`/desk/dossiers/${encodeURIComponent(code)}`);
  const viewer = page.locator('.mc-viewer iframe');
  assert.ok(await viewer.isVisible());
  const shown = await page.context().request.get(await viewer.getAttribute('src'));
  assert.equal(shown.headers()['content-type'], 'application/pdf');
  assert.match(shown.headers()['content-security-policy'], /sandbox/, 'what people send never runs');
  await look(page, 'desk-papers-beside');
  await Promise.all([citizen, officer, specialist].map((visitor) => visitor.close()));
});

/** Received: there is a due date, and it is explained line by line. */
async function received(page, code, fee = 0) {
  const now = await dossier(page, code);
  assert.ok(now.received_at && now.due_at, 'received, with a date');
  assert.ok(Date.parse(now.due_at) > Date.parse(now.received_at));
  assert.ok(now.why.length >= 2 && now.why.every((line) => line.text.vi && line.text.en), 'why this date');
  assert.equal(now.fees.reduce((sum, { amount }) => sum + amount, 0), fee);
}

async function consult(officers, code, sentBy) {
  const { consultations } = await dossier(officers.receptionist.page, code);
  assert.ok(consultations.some((asked) => asked.sent_by === sentBy && asked.open), 'the agency is asked, in parallel');
  const opinion = { agrees: 'yes', opinion: 'Bản vẽ phù hợp với thiết kế đã được thẩm duyệt.', document: '12/PCCC' };
  await answerConsultation(officers.consulted.page, code, opinion, look);
}

async function pay(page, code, fee) {
  const { money } = await dossier(page, code);
  if (fee) await takePayment(page, code, 'BL-0001');
  else assert.notEqual(money, 'due', 'nothing to pay');
}

/** The person's own page: the decision in words, and a PDF that is one. */
async function result({ page, context }, code) {
  await page.goto(`/dossiers/${encodeURIComponent(code)}`);
  await look(page, 'dossier-result');
  const links = page.locator('main a[href*="/documents/"]');
  let found = 0;
  for (let n = 0; n < 40 && found < 2; n += 1) {
    // Documents are drawn by a job, within seconds.
    await page.reload();
    found = await links.count();
    if (found < 2) await page.waitForTimeout(500);
  }
  assert.ok(found >= 2, 'a receipt and a result');
  for (const href of await links.evaluateAll((all) => all.map((a) => a.href))) {
    const answer = await context.request.get(href);
    assert.equal(answer.status(), 200);
    assert.equal(answer.headers()['content-type'], 'application/pdf');
    assert.equal((await answer.body()).subarray(0, 5).toString(), '%PDF-');
  }
}

/** A stranger with code and secret sees how far it is, and no personal data; with a wrong secret, nothing. */
async function tracked(code, secret, { page: own }) {
  const name = (await own.locator('header .mc-user__name').innerText()).trim();
  const stranger = await visit(browser, server);
  const { page } = stranger;
  await page.goto('/track');
  await look(page, 'track');
  await page.goto(`/track/${encodeURIComponent(code)}?k=${encodeURIComponent(secret)}`);
  const text = await page.locator('main').innerText();
  assert.ok(text.includes(code));
  assert.ok(!text.includes(name), 'no name on the public page');
  await look(page, 'tracking');
  const wrong = await page.goto(`/track/${encodeURIComponent(code)}?k=0000-0000-0000-0000`);
  assert.ok(wrong.status() >= 400 && wrong.status() < 500);
  assert.ok(!(await page.locator('main').innerText()).includes('Giấy'), 'nothing of the dossier is told');
  await stranger.close();
}
