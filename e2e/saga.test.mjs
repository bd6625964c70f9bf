// A birth is one saga over five registries of four nodes. Nodes are killed (SIGKILL, as by a power cut) in the middle of it: the province, whose
// dossier it is, at every step; and each registry's node when it has written and its answer has not arrived. Nobody mends anything; in the end
// each child is everywhere exactly once, and what was refused is nowhere. Where a registry is gone for longer, an officer ends the waiting.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { birth } from './support/birth.mjs';
import { inspect, openBrowser, visit } from './support/browser.mjs';
import { enter } from './support/caller.mjs';
import { layLine } from './support/line.mjs';
import { freePort, startNation, startNode } from './support/server.mjs';

const PROVINCE = 'ninhbinh';
const MOTHER = '037190001234';
/** What the saga writes, in its order: which registry, at which node, and where the record has the child's number. */
const WRITES = [
  { registry: 'population', keeper: 'congan', number: ({ person_number }) => person_number },
  { registry: 'residence', keeper: 'congan', number: ({ person_number }) => person_number },
  { registry: 'civil-status', keeper: 'tuphap', number: ({ child }) => child.person_number },
  { registry: 'social-insurance', keeper: 'baohiem', number: ({ person_number }) => person_number },
  { registry: 'tax', keeper: 'thue', number: ({ person_number, taxpayer_number }) => (person_number === taxpayer_number ? person_number : '') },
];
const KEEPERS = [...new Set(WRITES.map(({ keeper }) => keeper))];
/** As the page of the dossier says it. */
const STATES = ['Đang gửi', 'Đã cập nhật', 'Bị từ chối', 'Chưa rõ kết quả', 'Chưa được ghi', 'Đã thu hồi', 'Không thực hiện'];
const [SENT, DONE, REFUSED, UNKNOWN, NEVER, BACK, NOT] = STATES;
/** How long an answer is under way on a line that is late, in milliseconds: long enough to see what was written and to kill. */
const LATE = 1_500;
/** How long one moment of a saga is waited for: who met a connection that had died tells again after 30 s, then after 60 s. */
const MOMENT = 200_000;
/** And its end: a job that was in the hands of a node that died is taken up after 120 s. */
const END = 400_000;

let nation, since, mother, officers;
const nodes = {};
const lines = {};
const stewards = {};
/** Every birth that was filed, and how it is to end. */
const births = [];

before(async () => {
  // No dossiers but these: what the town's own sagas write and take back is no matter of this test.
  nation = await startNation({ dossiers: 0 });
  await nation.stop({ keep: true });
  // Each registry's node is reached by a line.
  for (const keeper of KEEPERS) {
    const path = join(nation.data, keeper, 'motcua.toml');
    const settings = await readFile(path, 'utf8');
    const [, known] = settings.match(/peers = "127\.0\.0\.1:(\d+)"/);
    const own = await freePort();
    await writeFile(path, settings.replace(/peers = "127\.0\.0\.1:\d+"/, `peers = "127.0.0.1:${own}"`));
    lines[keeper] = await layLine(Number(known), own);
  }
  since = Date.now() * 1_000;
  await Promise.all(['nhanchung', 'vpcp', ...KEEPERS, PROVINCE].map(begin));
  mother = await enter(nation.site(PROVINCE), 'citizen');
  officers = await Promise.all(['receptionist', 'specialist', 'leader'].map((role) => enter(nation.site(PROVINCE), role)));
  for (const keeper of KEEPERS) stewards[keeper] = await enter(nation.site(keeper), 'administrator');
});
after(async () => {
  await Promise.all(Object.values(lines).map((line) => line.stop()));
  await Promise.all(Object.values(nodes).map((node) => node.stop({ keep: true })));
  await nation?.stop();
});

async function begin(folder) {
  nodes[folder] = await startNode(nation, folder);
}

const kill = (folder) => nodes[folder].stop({ signal: 'SIGKILL', keep: true });

/** Looks again and again until it is so. */
async function until(what, look, { patience = MOMENT, pause = 5 } = {}) {
  for (const end = Date.now() + patience; !(await look()); await wait(pause)) assert.ok(Date.now() < end, what);
}

/** A birth that waits for the signature. A register number that another birth has is refused by the third registry. */
async function prepare(register = 7_001 + births.length) {
  const [receptionist, specialist] = officers;
  const [body, headers] = [birth(births.length), { 'idempotency-key': `birth-${births.length}` }];
  let answer;
  // What a registry does not tell, because its node has just been killed, whoever files would have to type: here it is waited for.
  const taken = async () => (answer = await mother.send('POST', '/api/v1/dossiers', { headers, body })).status === 201;
  await until('the registries tell of the parents', taken, { pause: 500 }).catch(() => assert.fail(answer.text));
  const filed = { ...JSON.parse(answer.text), register };
  births.push(filed);
  await complete(receptionist, filed, 'accept');
  await complete(specialist, filed, 'ok', { register_number: register, marriage_found: 'found', applicant_confirmed: 'confirmed' });
  return filed;
}

async function complete(officer, { id }, outcome, fields = {}) {
  const [{ token }] = (await officer.get(`/api/v1/dossiers/${id}`)).tasks;
  await officer.post(`/api/v1/dossiers/${id}/tasks/${token}`, { outcome, fields });
}

const sign = (filed) => complete(officers[2], filed, 'approve');

/** How the page of the dossier says that each write stands; none before the signature. */
async function shown({ code }) {
  const page = await mother.page(`/dossiers/${encodeURIComponent(code)}`);
  const [section = ''] = page.match(/<section[^>]*aria-labelledby="writes"[^]*?<\/section>/) ?? [];
  const items = section.match(/<li[^]*?<\/li>/g) ?? [];
  return items.map((item) => STATES.find((state) => item.includes(state)) ?? item);
}

/** Every version that a registry has ever recorded by this dossier. */
async function recorded({ registry, keeper }, { code }) {
  const found = [];
  for (let cursor = since; cursor; ) {
    const page = await stewards[keeper].get(`/api/v1/registries/${registry}/changes?limit=100&cursor=${cursor}`, { 'X-Motcua-Purpose': 'registry.steward' });
    found.push(...page.items.filter(({ dossier }) => dossier === code));
    cursor = page.next;
  }
  return found;
}

/** Signs while the answers of a node are late, waits for the moment, kills a node then, and starts it again; says where that fell. */
async function cut(t, filed, { late, moment, victim, stands, what }) {
  lines[late].late = LATE;
  await sign(filed);
  await until(what, () => moment(filed));
  await kill(victim);
  lines[late].late = 0;
  if (victim === PROVINCE) await begin(victim);
  // What the dossier knows: the kill fell where it was meant to, or this test has tried nothing.
  assert.deepEqual(await shown(filed), stands, `${filed.code}, ${what}`);
  if (victim !== PROVINCE) await begin(victim);
  t.diagnostic(`${filed.code}: ${victim} killed ${what}; the dossier says: ${stands.join(', ')}`);
}

/** The first `n` writes are known to be done. */
const known = (n) => WRITES.map((_, place) => (place < n ? DONE : SENT));
const same = (left, right) => left.length === right.length && left.every((state, n) => state === right[n]);
const told = (n) => async (filed) => same(await shown(filed), known(n));
const wrote = (write, versions = 1) => async (filed) => (await recorded(write, filed)).length === versions;

test('nothing is killed: the child is in five registries', async () => {
  const filed = await prepare();
  await sign(filed);
  await until('all are told', () => told(5)(filed));
});

test('an officer waits no longer for a registry whose node is gone: the others take it back, and what came of it is found out', async () => {
  const filed = await prepare();
  filed.waited = true;
  await kill('thue');
  await sign(filed);
  await until('all but tax are told', () => told(4)(filed));
  const browser = await openBrowser();
  const { page, signIn, close } = await visit(browser, nation.site(PROVINCE));
  const look = async (name) => {
    await page.goto(`/desk/dossiers/${encodeURIComponent(filed.code)}`);
    await inspect(page, name);
  };
  await signIn('specialist');
  await look('desk-waiting');
  const ending = page.locator('main details', { hasText: 'Thôi chờ' });
  await ending.locator('summary').click();
  await inspect(page, 'desk-waiting-open');
  const why = 'Cơ quan thuế báo ngừng kết nối đến hết tuần.';
  await ending.locator('textarea[name=reason]').fill(why);
  await Promise.all([page.waitForEvent('load'), ending.getByRole('button', { name: 'Thôi chờ', exact: true }).click()]);
  assert.equal(await ending.count(), 0, 'once');
  await until('what came before is taken back', async () => same(await shown(filed), [BACK, BACK, BACK, BACK, UNKNOWN]));
  for (const write of WRITES.slice(0, 4)) {
    assert.deepEqual((await recorded(write, filed)).map(({ kind, effect }) => `${kind} ${effect}`), ['assert holds', 'correct void'], write.registry);
  }
  await look('desk-wait-ended');
  assert.match(await page.locator('main').innerText(), new RegExp(why), 'the reason stands there');
  assert.match(await mother.page(`/dossiers/${encodeURIComponent(filed.code)}`), new RegExp(why), 'for the applicant, too');

  // The node is back: the order never came there, and is not taken any more.
  await begin('thue');
  await until('tax says that it never came', async () => same(await shown(filed), [BACK, BACK, BACK, BACK, NEVER]), { patience: END });
  await look('desk-wait-known');
  await complete(officers[1], filed, 'again');
  await until('told again, all have it', () => told(5)(filed), { patience: END });
  await close();
  await browser.close();
});

test('the province is killed at every step of its saga', async (t) => {
  for (const [n, write] of WRITES.entries()) {
    const late = write.keeper;
    await cut(t, await prepare(), { late, moment: told(n), victim: PROVINCE, stands: known(n), what: `when ${n} of 5 were told` });
    await cut(t, await prepare(), { late, moment: wrote(write), victim: PROVINCE, stands: known(n), what: `when ${write.registry} had written` });
  }
});

test('a birth that the third registry refuses is taken back, though the province is killed in between', async (t) => {
  const [{ register }] = births;
  const refused = [DONE, DONE, REFUSED, NOT, NOT];
  const no = async (filed) => same(await shown(filed), refused);
  const late = 'congan';
  await cut(t, await prepare(register), { late, moment: no, victim: PROVINCE, stands: refused, what: 'when the third registry had refused' });
  for (const [write, stands] of [
    [WRITES[1], refused],
    [WRITES[0], [DONE, BACK, REFUSED, NOT, NOT]],
  ]) {
    const what = `when ${write.registry} had taken it back`;
    await cut(t, await prepare(register), { late, moment: wrote(write, 2), victim: PROVINCE, stands, what });
  }
});

test('each registry is killed when it has written, and again when it has taken back, before its answer has arrived', async (t) => {
  for (const [n, write] of WRITES.entries()) {
    const filed = await prepare();
    await cut(t, filed, { late: write.keeper, moment: wrote(write), victim: write.keeper, stands: known(n), what: `when ${write.registry} had written` });
    assert.equal((await recorded(write, filed)).length, 1, `${write.registry} has kept what it wrote`);
  }
  const stands = [DONE, DONE, REFUSED, NOT, NOT];
  const what = 'when residence had taken it back';
  await cut(t, await prepare(births[0].register), { late: 'congan', moment: wrote(WRITES[1], 2), victim: 'congan', stands, what });
});

test('every saga ends by itself: a child is everywhere once, by one number; what was refused is nowhere', async (t) => {
  const begun = Date.now();
  const alone = births.filter(({ waited }) => !waited);
  const refused = alone.filter(({ register }, n) => n > 0 && register === births[0].register);
  for (const filed of alone) {
    const end = refused.includes(filed) ? [BACK, BACK, REFUSED, NOT, NOT] : known(5);
    await until(`${filed.code} ends`, async () => same(await shown(filed), end), { patience: END, pause: 250 });
    const step = refused.includes(filed) ? 'mend' : 'deliver';
    await until(`${filed.code} goes on with ${step}`, async () => (await officers[1].get(`/api/v1/dossiers/${filed.id}`)).tasks.some((task) => task.step === step));
  }
  t.diagnostic(`${alone.length} sagas ended after another ${Math.round((Date.now() - begun) / 1_000)} s`);
  const numbers = [];
  for (const filed of alone) {
    const versions = await Promise.all(WRITES.map((write) => recorded(write, filed)));
    const kinds = versions.map((list) => list.map(({ kind, effect }) => `${kind} ${effect}`));
    if (refused.includes(filed)) {
      const back = ['assert holds', 'correct void'];
      assert.deepEqual(kinds, [back, back, [], [], []], filed.code);
      continue;
    }
    assert.deepEqual(kinds, WRITES.map(() => ['assert holds']), filed.code);
    const bodies = versions.map(([{ body }]) => body);
    const [number, ...others] = WRITES.map((write, n) => write.number(bodies[n]));
    assert.match(number, /^\d{12}$/);
    assert.deepEqual(new Set(others), new Set([number]), `${filed.code} is about one child`);
    const [person, residence, entry, insured] = bodies;
    assert.equal(person.mother_person_number, MOTHER);
    assert.equal(person.father_person_number, residence.head_person_number, 'the family and the household');
    assert.equal(Number(entry.number), filed.register);
    numbers.push(number, insured.card.number);
  }
  assert.equal(new Set(numbers).size, numbers.length, 'no number and no card was given twice');
});
