// The demonstration nation: nine nodes, each a process of its own, that meet, grant and ask; the map that shows it; a node that dies.
import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect, openBrowser, visit } from './support/browser.mjs';
import { complete, dossier } from './support/desk.mjs';
import { file } from './support/filing.mjs';
import { fill, proceed } from './support/form.mjs';
import { BIRTH } from './support/birth.mjs';
import { CLIENT, LEVELS, startEid } from './support/eid.mjs';
import { PERMIT } from './support/permit.mjs';
import { ask, run, startNation, startNode } from './support/server.mjs';

let browser, nation, insurance, eid;
/** The birth that was filed: its dossier, and the father. */
let birth;
// One after the other, so that a nation that does not start leaves no browser open.
before(async () => {
  nation = await startNation();
  browser = await openBrowser();
});
after(() => Promise.all([browser?.close(), insurance?.stop({ keep: true }), nation?.stop(), eid?.stop()]));

const TOWN = 'VN/GOV/000.00.00.H42/motcua';
const CITIZEN = '037190001234';
const row = (page, caption, ...texts) =>
  texts.reduce((rows, hasText) => rows.filter({ hasText }), page.locator('table', { hasText: caption }).locator('tbody tr')).first();

/** A member on the map. */
const member = (page, name) => page.locator('.mc-map__member', { has: page.locator('.mc-map__who', { hasText: name }) });

/** A member on the map, open. */
async function opened(page, name) {
  const found = member(page, name);
  await found.waitFor();
  if (!(await found.evaluate((details) => details.open))) await found.locator('summary').click();
  return found;
}

const enter = async (member, role) => {
  const visitor = await visit(browser, nation.site(member));
  await visitor.signIn(role);
  return visitor;
};

/** Looks again until it is so. */
async function until(what, look) {
  for (let tries = 0; !(await look()); tries += 1) {
    assert.ok(tries < 60, what);
    await wait(500);
  }
}

const call = (member, target, headers) =>
  ask(`${nation.edge(member)}/r1/${target}`, { headers: { 'X-Motcua-Purpose': 'dossier.verify', 'X-Road-Issue': 'H42.28-261125-0001', ...headers } });

test('an agency asks another through the exchange, and without a grant it is refused', async () => {
  const person = await call('ninhbinh', `VN/GOV/000.00.00.G01/dancu/persons/v1/persons/${CITIZEN}`, { 'X-Road-Client': TOWN });
  assert.equal(person.status, 200, person.text);
  assert.equal(JSON.parse(person.text).name, 'Nguyễn Thị Hương');
  // Sideways: customs asks tax about an importer.
  const debt = await call('haiquan', 'VN/GOV/000.00.17.G12/thue/debts/v1/debts/0100112437', {
    'X-Road-Client': 'VN/GOV/000.00.18.G12/haiquan',
    'X-Motcua-Purpose': 'customs.clearance',
  });
  assert.deepEqual([debt.status, JSON.parse(debt.text).tax_debt], [200, 0], debt.text);
  const refused = await call('haiquan', `VN/GOV/000.00.24.G12/baohiem/cards/v1/cards/${CITIZEN}`, {
    'X-Road-Client': 'VN/GOV/000.00.18.G12/haiquan',
    'X-Motcua-Purpose': 'customs.clearance',
  });
  assert.deepEqual([refused.status, JSON.parse(refused.text).type], [500, 'Server.ServerProxy.AccessDenied'], refused.text);
});

/** Whose system answers. */
const ANSWERS = { 'importer-owes-tax': 'VN/GOV/000.00.17.G12/thue', 'employer-insures-workers': 'VN/GOV/000.00.00.G12/dkkd' };

test('what no single agency can say is asked across them: whether an importer owes tax, and an employer insures its workers', async () => {
  const asked = (member, client, question, purpose, code) =>
    ask(`${nation.edge(member)}/r1/${ANSWERS[question]}/questions/${question}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Road-Client': client, 'X-Motcua-Purpose': purpose, 'X-Road-Issue': 'VU-VIEC-261126-01' },
      body: JSON.stringify({ tax_code: code }),
    });
  // Codes that the registries hold, as the steward of each sees them.
  const codes = async (member, registry, field) => {
    const steward = await enter(member, 'administrator');
    const held = await steward.page.evaluate(async (registry) => {
      const answer = await fetch(`/api/v1/registries/${registry}/records?limit=100`, { headers: { 'X-Motcua-Purpose': 'registry.steward' } });
      return answer.json();
    }, registry);
    await steward.close();
    const found = held.items?.map(({ body }) => body[field]).filter(Boolean);
    assert.ok(found?.length, JSON.stringify(held));
    return [...new Set(found)].slice(0, 12);
  };
  for (const [keeper, registry, field, ...who] of [
    ['haiquan', 'customs', 'tax_code', 'haiquan', 'VN/GOV/000.00.18.G12/haiquan', 'importer-owes-tax', 'customs.compliance'],
    ['baohiem', 'social-insurance', 'employer_tax_code', 'ninhbinh', TOWN, 'employer-insures-workers', 'labour.inspection'],
  ]) {
    const said = [];
    for (const code of await codes(keeper, registry, field)) {
      const answer = await asked(...who, code);
      assert.equal(answer.status, 200, answer.text);
      said.push(JSON.parse(answer.text).answer);
    }
    assert.ok(said.some((yes) => typeof yes === 'boolean'), `${registry}: ${said}`);
  }
  const elsewhere = await asked('haiquan', 'VN/GOV/000.00.18.G12/haiquan', 'importer-owes-tax', 'labour.inspection', '0100112437');
  assert.equal(elsewhere.status, 500, `${elsewhere.text}: for another purpose nobody is told`);

  // And the province may look for whom a service is to be proposed to.
  const looked = await call('ninhbinh', `VN/GOV/000.00.00.G01/dancu/registries/population/prefill/facts/${CITIZEN}?attributes=birth-date,status`, {
    'X-Road-Client': TOWN,
    'X-Motcua-Purpose': 'proactive.remind',
  });
  assert.equal(looked.status, 200, looked.text);
  assert.equal(JSON.parse(looked.text).facts.status.value, 'alive', looked.text);
});

test('the citizen sees who has read what at other agencies', async () => {
  const visitor = await visit(browser, nation.site('ninhbinh'));
  await visitor.signIn('citizen');
  await visitor.page.goto('/my/reads');
  await visitor.page.locator('tr', { hasText: 'Tra cứu thông tin dân cư' }).first().waitFor();
  await visitor.close();
});

test('a building permit asks the fire police at their own node, and their answer comes back with its proof', async () => {
  const citizen = await enter('ninhbinh', 'citizen');
  const clerk = await enter('ninhbinh', 'receptionist');
  const reviewer = await enter('ninhbinh', 'specialist');
  const officer = await enter('congan', 'consulted');
  const { code } = await file(citizen.page, PERMIT.code, { answers: PERMIT.answers });
  await complete(clerk.page, code, 'accept');
  await complete(reviewer.page, code, 'ok');
  const asked = async () => (await dossier(reviewer.page, code)).consultations.find((one) => one.sent_by === 'ask_fire');
  assert.equal((await asked())?.open, true, 'the fire police are asked');

  // Their officer finds it on their own desk, at another node with another database.
  const question = officer.page.locator('main a[href*="/desk/consultations/"]').filter({ hasText: code });
  await until('the question is there', async () => {
    await officer.page.goto('/desk/consultations');
    return (await question.count()) > 0;
  });
  await question.first().click();
  await inspect(officer.page, 'nation-question');
  const opinion = 'Bản vẽ phù hợp với thiết kế đã được thẩm duyệt.';
  await fill(officer.page, { agrees: 'yes', opinion, document: '12/PCCC' });
  await proceed(officer.page);
  await until('the answer is there', async () => !(await asked()).open);

  // At the asker it stands in the dossier, and each step of the log is proved offline.
  await reviewer.page.goto(`/desk/dossiers/${encodeURIComponent(code)}`);
  await reviewer.page.getByText(opinion).first().waitFor();
  await inspect(reviewer.page, 'nation-opinion');
  const proved = async () => {
    // Fetched by the page: its browser knows where the site is.
    const file = await reviewer.page.evaluate(async (path) => (await fetch(path)).text(), `/dossiers/${encodeURIComponent(code)}/proofs`);
    const proofs = JSON.parse(file);
    // Leaves follow the log within moments; of each the record is in the file, so that it can be read there.
    const says = ({ proof }) => Buffer.from(proof.match(/^extra (\S+)$/m)?.[1] ?? '', 'base64').includes(opinion);
    return proofs.entries.some(says) && file;
  };
  let proofs;
  await until('the answer is proved', async () => (proofs = await proved()));
  const kept = join(nation.data, 'proofs.json');
  await writeFile(kept, proofs);
  const verified = await run('ledger', 'verify', kept);
  assert.equal(verified.code, 0, verified.said);
  await Promise.all([citizen, clerk, reviewer, officer].map((visitor) => visitor.close()));

  // The question went one way through the exchange and the opinion the other: the map has both.
  const visitor = await visit(browser, nation.site('vpcp'));
  await visitor.page.goto('/exchange/map');
  const ministry = await opened(visitor.page, 'Bộ Công an');
  for (const way of ['Đã hỏi', 'Được hỏi']) {
    await row(ministry, way, /^\s*Tỉnh Ninh Bình\s*Lấy ý kiến/).waitFor({ timeout: 30_000 });
  }
  await visitor.close();
});

/** What the town's procedures are told about a person by the registry of another node: through the exchange, as every fact is. */
async function facts(system, registry, number, attributes) {
  const asked = await call('ninhbinh', `${system}/registries/${registry}/prefill/facts/${number}?attributes=${attributes}`, {
    'X-Road-Client': TOWN,
    'X-Motcua-Purpose': 'procedure.prefill',
  });
  assert.equal(asked.status, 200, `${registry}: ${asked.text}`);
  return Object.fromEntries(Object.entries(JSON.parse(asked.text).facts).map(([name, { value }]) => [name, value]));
}

/** Everything in the data tracker of whoever is signed in: what each line says, and where its proof is. */
async function tracker(page) {
  const told = [];
  for (await page.goto('/my/reads'); ; ) {
    const rows = await page.locator('main tbody tr').evaluateAll((rows) =>
      rows.map((row) => ({ text: row.innerText, proof: row.querySelector('a[href^="/my/reads/elsewhere"]')?.getAttribute('href') })),
    );
    told.push(...rows);
    const next = page.locator('a[rel=next]');
    if ((await next.count()) === 0) return told;
    await Promise.all([page.waitForEvent('load'), next.first().click()]);
  }
}

const has = (parts) => ({ text }) => parts.every((part) => text.includes(part));

test('a birth filed once is in five registries of four nodes, one of which was away; the mother sees who read and who wrote', async () => {
  const [mother, clerk, registrar, leader] = await Promise.all(['citizen', 'receptionist', 'specialist', 'leader'].map((role) => enter('ninhbinh', role)));
  // What registries hold of her, her husband and their household is in the form; she types what concerns the child.
  let checked = '';
  const look = async (page, name) => {
    if (name === 'draft-check') checked = await page.locator('main').innerText();
  };
  const { code } = await file(mother.page, BIRTH.code, { answers: BIRTH.answers, look, direct: true });
  const husband = (await facts('VN/GOV/000.00.00.G15/hotich', 'civil-status', CITIZEN, 'spouse-number'))['spouse-number'];
  const [{ 'full-name': name, 'birth-date': birthdate }, { household }] = [
    await facts('VN/GOV/000.00.00.G01/dancu', 'population', husband, 'full-name,birth-date'),
    await facts('VN/GOV/000.00.00.G01/dancu', 'residence', CITIZEN, 'household'),
  ];
  for (const known of [husband, name, household]) assert.ok(checked.includes(known), `${known} was filled in`);

  // Social insurance is away while the dossier is decided.
  process.kill(Number(await readFile(join(nation.data, 'baohiem', 'motcua.pid'), 'utf8')), 'SIGTERM');
  await until('social insurance has stopped', () => /Nút Bảo hiểm xã hội Việt Nam đã dừng/.test(nation.output));
  await complete(clerk.page, code, 'accept');
  await complete(registrar.page, code, 'ok', { register_number: '907', marriage_found: 'found', applicant_confirmed: 'confirmed' });
  await complete(leader.page, code, 'approve');
  const writes = async () => {
    await mother.page.goto(`/dossiers/${encodeURIComponent(code)}`);
    return mother.page.locator('section[aria-labelledby=writes] li').allInnerTexts();
  };
  const done = (lines) => lines.filter((line) => line.includes('Đã cập nhật')).length;
  let lines;
  await until('three registries are told', async () => done((lines = await writes())) === 3);
  assert.equal(lines.filter((line) => line.includes('Đang gửi')).length, 2, lines.join('\n'));
  await inspect(mother.page, 'nation-birth-waits');

  // It is back, and the dossier goes on by itself.
  insurance = await startNode(nation, 'baohiem');
  for (let tries = 0; done((lines = await writes())) < 5; tries += 1) {
    assert.ok(tries < 150, lines.join('\n'));
    await wait(1_000);
  }
  await inspect(mother.page, 'nation-birth-done');

  // The steward of the population database finds the child.
  const steward = await enter('congan', 'administrator');
  const found = await steward.page.evaluate(
    async ([mother, born, dossier]) => {
      const query = `mother_person_number=${mother}&birth_date=${born}&limit=50`;
      const headers = { 'X-Motcua-Purpose': 'dossier.verify', 'X-Road-Issue': dossier };
      const answer = await fetch(`/api/v1/registries/population/records?${query}`, { headers });
      return answer.json();
    },
    [CITIZEN, BIRTH.born.split('/').reverse().join('-'), code],
  );
  const number = found.items?.find((record) => record.dossier === code)?.key;
  assert.match(number ?? '', /^0373/, JSON.stringify(found));

  // Each registry says so to whoever may ask.
  const of = (system, registry, attributes) => facts(system, registry, number, attributes);
  assert.deepEqual(await of('VN/GOV/000.00.00.G01/dancu', 'population', 'full-name,mother-number,father-number'), {
    'full-name': BIRTH.answers['child.name'],
    'mother-number': CITIZEN,
    'father-number': husband,
  });
  assert.deepEqual(await of('VN/GOV/000.00.00.G01/dancu', 'residence', 'household'), { household });
  assert.match((await of('VN/GOV/000.00.00.G15/hotich', 'civil-status', 'birth-entry'))['birth-entry'], /^907\/20\d\d$/);
  const card = await of('VN/GOV/000.00.24.G12/baohiem', 'social-insurance', 'card-number,place-of-care');
  assert.match(card['card-number'], /^TE137\d{10}$/);
  assert.equal(card['place-of-care'], '37001');
  assert.deepEqual(await of('VN/GOV/000.00.17.G12/thue', 'tax', 'owes'), { owes: false });

  // Its record says where it comes from.
  await steward.page.goto('/registries');
  await inspect(steward.page, 'nation-registries');
  await steward.page.goto('/registries/population');
  await inspect(steward.page, 'nation-registry');
  await steward.page.goto('/registries/population/record');
  await fill(steward.page, { key: number, purpose: 'registry.steward' });
  await proceed(steward.page);
  const record = await steward.page.locator('main').innerText();
  for (const part of [BIRTH.answers['child.name'], TOWN]) assert.ok(record.includes(part), `the record says ${part}`);
  await inspect(steward.page, 'nation-record');

  // Her data tracker has what procedures read of her at each agency, and what they wrote, under this dossier.
  const read = ['Bộ Công an', 'Bộ Tư pháp', 'Bảo hiểm xã hội Việt Nam'].map((keeper) => ['Điền sẵn tờ khai', keeper]);
  // Population and residence are kept by the same ministry.
  const wrote = ['Bộ Công an', 'Bộ Tư pháp', 'Bảo hiểm xã hội Việt Nam', 'Cục Thuế'].map((keeper) => ['Ghi nhận kết quả giải quyết', code, keeper]);
  let told;
  await until('the reads are told, and the writes in all five registries', async () => {
    told = await tracker(mother.page);
    return [...read, ...wrote].every((parts) => told.some(has(parts))) && told.filter(has(['Ghi nhận kết quả giải quyết', code])).length === 5;
  });
  await mother.page.goto('/my/reads');
  await inspect(mother.page, 'nation-reads');

  // Each of them has its proof at the node that keeps the registry: fetched, verified by the key of the directory, kept, and verified again offline.
  for (const { text, proof } of told.filter(has(['Ghi nhận kết quả giải quyết', code]))) {
    assert.match(proof ?? '', /^\/my\/reads\/elsewhere\?/, text);
    await mother.page.goto(proof);
    await mother.page.getByText('Đã kiểm chứng').waitFor();
    const shown = await mother.page.locator('main').innerText();
    for (const part of [code, 'Tỉnh Ninh Bình']) assert.ok(shown.includes(part), `the proof says ${part}: ${shown}`);
    const [download] = await Promise.all([
      mother.page.waitForEvent('download'),
      mother.page.getByRole('button', { name: 'Tải bằng chứng' }).or(mother.page.getByRole('link', { name: 'Tải bằng chứng' })).click(),
    ]);
    const kept = join(nation.data, download.suggestedFilename());
    await download.saveAs(kept);
    const verified = await run('ledger', 'verify', kept);
    assert.equal(verified.code, 0, verified.said);
  }
  await mother.page.goto(told.find(has(wrote[0])).proof);
  await inspect(mother.page, 'nation-proof');
  // Of a read that is not about her there is none.
  const strange = await mother.page.goto(told.find(has(wrote[0])).proof.replace(/read=[0-9a-f-]+/, 'read=00000000-0000-4000-8000-000000000000'));
  assert.equal(strange.status(), 404);
  await mother.page.goto('/my/reads');
  const own = mother.page.locator('main tbody tr').filter({ hasText: code }).locator('a[download]').first();
  // Proved offline: who opened her dossier, and each step of it, with what every registry answered.
  for (const [name, link] of Object.entries({ read: await own.getAttribute('href'), dossier: `/dossiers/${encodeURIComponent(code)}/proofs` })) {
    const text = await mother.page.evaluate(async (path) => (await fetch(path)).text(), link);
    const kept = join(nation.data, `${name}-proof.json`);
    await writeFile(kept, text);
    const verified = await run('ledger', 'verify', kept);
    assert.equal(verified.code, 0, verified.said);
    const says = ({ proof }) => Buffer.from(proof.match(/^extra (\S+)$/m)?.[1] ?? '', 'base64').includes(number);
    if (name === 'dossier') assert.ok(JSON.parse(text).entries.some(says), 'the number that was given is in the log');
  }
  birth = { code, father: husband, name, birthdate };
  await Promise.all([mother, clerk, registrar, leader, steward].map((visitor) => visitor.close()));
});

test('a person sees on one page what the registries of other agencies hold about her, and what she contests arrives there', async () => {
  const citizen = await enter('ninhbinh', 'citizen');
  const { page } = citizen;
  await page.goto('/my/records');
  const held = await page.locator('main').innerText();
  for (const registry of ['dân cư', 'cư trú', 'hộ tịch', 'bảo hiểm', 'thuế']) {
    assert.match(held, new RegExp(registry, 'i'), `${registry}: ${held}`);
  }
  assert.ok(held.includes(CITIZEN) && held.includes('Nguyễn Thị Hương'), held);
  assert.doesNotMatch(held, /chưa trả lời, xin thử lại sau/, held);
  await inspect(page, 'nation-records');

  await page.locator('a[href^="/my/records/elsewhere/population/"][href$="/name"]').first().click();
  await inspect(page, 'nation-contest');
  // What is missing is said, and nothing typed is lost.
  const send = () => page.getByRole('button', { name: 'Gửi phản ánh' }).click();
  await page.locator('[name=right]').fill('Nguyễn Thị Hường');
  await send();
  await page.getByText('Nêu điều chưa đúng').first().waitFor();
  assert.equal(await page.locator('[name=right]').inputValue(), 'Nguyễn Thị Hường');
  await page.locator('[name=wrong]').fill('Tên tôi có dấu huyền.');
  await page.locator('[name=file]').setInputFiles({ name: 'khai sinh.png', mimeType: 'image/png', buffer: await page.screenshot() });
  await send();
  await page.waitForURL('**/my/records');
  assert.match(await page.locator('section[aria-labelledby=elsewhere]').innerText(), /hạn trả lời/);
  const steward = await enter('congan', 'administrator');
  await steward.page.goto('/registries/population/doubts');
  await steward.page.getByText(CITIZEN).first().waitFor();
  // The photograph is at the ministry; the province shows its name, gives it out to nobody, and takes the doubt back.
  await page.locator('section[aria-labelledby=elsewhere]').getByRole('link', { name: 'Gửi thêm tệp hoặc rút phản ánh' }).first().click();
  await page.getByText('khai sinh.png').waitFor();
  assert.equal(await page.getByRole('link', { name: 'khai sinh.png' }).count(), 0);
  await inspect(page, 'nation-far-doubt');
  await page.getByRole('button', { name: 'Rút phản ánh' }).click();
  await page.getByText('Đã rút').first().waitFor();
  await Promise.all([citizen, steward].map((visitor) => visitor.close()));
});

test('the map shows members and traffic, keeps itself current, and says that a node has died', async () => {
  const visitor = await visit(browser, nation.site('vpcp'));
  const { page } = visitor;
  await page.goto('/exchange');
  await page.locator('a[href="/exchange/map"]').click();
  const asked = row(await opened(page, 'Tỉnh Ninh Bình'), 'Đã hỏi', 'Tra cứu dân cư');
  await asked.waitFor({ timeout: 30_000 });
  await row(await opened(page, 'Cục Hải quan'), 'Đã hỏi', 'Tra cứu thẻ').waitFor({ timeout: 30_000 });
  // All nine.
  await page.locator('summary .mc-tag', { hasText: /^\s*Trả lời\s*$/ }).nth(8).waitFor({ timeout: 20_000 });
  await inspect(page, 'exchange-map');

  // The nation's own traffic goes on, and the page shows it without being loaded again.
  await page.evaluate(() => (window.still = true));
  const messages = async () => Number((await asked.first().locator('td').nth(1).textContent()).replace(/\D/g, ''));
  const before = await messages();
  await call('ninhbinh', `VN/GOV/000.00.00.G01/dancu/persons/v1/persons/${CITIZEN}`, { 'X-Road-Client': TOWN });
  for (let tries = 0; (await messages()) <= before; tries += 1) {
    assert.ok(tries < 100, 'the map shows new messages');
    await wait(200);
  }

  process.kill(Number(await readFile(join(nation.data, 'haiquan', 'motcua.pid'), 'utf8')), 'SIGKILL');
  await member(page, 'Cục Hải quan').filter({ hasText: 'Không trả lời từ' }).waitFor({ timeout: 20_000 });
  assert.equal(await page.evaluate(() => window.still), true, 'the page was not loaded again');
  assert.match(nation.output, /Nút Cục Hải quan đã dừng/);
  // The others go on.
  const person = await call('ninhbinh', `VN/GOV/000.00.00.G01/dancu/persons/v1/persons/${CITIZEN}`, { 'X-Road-Client': TOWN });
  assert.equal(person.status, 200);
  await visitor.close();

  const plain = await visit(browser, nation.site('ninhbinh'), { js: false });
  await plain.page.goto('/exchange/map');
  await member(plain.page, 'Cục Hải quan').filter({ hasText: 'Không trả lời từ' }).waitFor();
  await row(await opened(plain.page, 'Tỉnh Ninh Bình'), 'Đã hỏi', 'Tra cứu dân cư').waitFor();
  await plain.page.getByRole('link', { name: 'Làm mới' }).click();
  await member(plain.page, 'Bộ Công an').waitFor();
  await plain.close();
});

test('the nation stops as a whole, and starts again with what it had', async () => {
  await insurance.stop({ keep: true });
  assert.equal(await nation.stop({ keep: true }), 'exit code 0', nation.output);
  for (const member of ['vpcp', 'ninhbinh', 'congan']) {
    await assert.rejects(ask(`${nation.site(member).local}/healthz`), `${member} has stopped`);
  }
  // People sign in with their e-ID from now on.
  const province = nation.site('ninhbinh');
  eid = await startEid({
    redirect: [`${province.origin}/sign-in/oidc/callback`],
    people: { father: { name: birth.name, birthdate: birth.birthdate, gender: 'male', personal_identification_number: birth.father } },
  });
  const acr = Object.entries(LEVELS).map(([level, value]) => `${value} = ${level}`);
  const settings = `\n[identity.oidc]\nissuer = "${eid.issuer}"\nclient_id = "${CLIENT.id}"\nclient_secret = "${CLIENT.secret}"\nacr = { ${acr.join(', ')} }\n`;
  await appendFile(join(nation.data, 'ninhbinh', 'motcua.toml'), settings);
  nation = await startNation({ data: nation.data });
  const debt = await call('haiquan', 'VN/GOV/000.00.17.G12/thue/debts/v1/debts/0100112437', {
    'X-Road-Client': 'VN/GOV/000.00.18.G12/haiquan',
    'X-Motcua-Purpose': 'customs.clearance',
  });
  assert.equal(debt.status, 200, debt.text);
});

test('the father, who filed nothing, sees in his own data tracker what was read of him and where his child was written, with proofs', async () => {
  const father = await visit(browser, nation.site('ninhbinh'), { allow: [eid.issuer] });
  const { page } = father;
  await page.goto('/sign-in/oidc?level=2');
  await eid.choose(page, 'father', 2);
  await page.waitForURL((url) => url.origin === nation.site('ninhbinh').origin);
  const told = await tracker(page);
  const lines = told.map(({ text }) => text).join('\n');
  const wrote = ['Bộ Công an', 'Bộ Tư pháp', 'Bảo hiểm xã hội Việt Nam', 'Cục Thuế'].map((keeper) => ['Ghi nhận kết quả giải quyết', birth.code, keeper]);
  for (const parts of [['Điền sẵn tờ khai', 'Bộ Công an'], ...wrote]) assert.ok(told.some(has(parts)), `${parts}: ${lines}`);
  assert.equal(told.filter(has(['Ghi nhận kết quả giải quyết', birth.code])).length, 5, lines);
  for (const { text, proof } of told.filter(has(['Ghi nhận kết quả giải quyết', birth.code]))) {
    assert.match(proof ?? '', /^\/my\/reads\/elsewhere\?/, text);
    await page.goto(proof);
    await page.getByText('Đã kiểm chứng').waitFor();
  }
  await father.close();
});
