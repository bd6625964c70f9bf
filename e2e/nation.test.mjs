// The demonstration nation: eight nodes, each a process of its own, that meet, grant and ask; the map that shows it; a node that dies.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect, openBrowser, visit } from './support/browser.mjs';
import { complete, dossier } from './support/desk.mjs';
import { file } from './support/filing.mjs';
import { fill, proceed } from './support/form.mjs';
import { PERMIT } from './support/permit.mjs';
import { ask, run, startNation } from './support/server.mjs';

let browser, nation;
// One after the other, so that a nation that does not start leaves no browser open.
before(async () => {
  nation = await startNation();
  browser = await openBrowser();
});
after(() => Promise.all([browser?.close(), nation?.stop()]));

const TOWN = 'VN/GOV/000.00.00.H42/motcua';
const CITIZEN = '037190001234';
const row = (page, caption, ...texts) =>
  texts.reduce((rows, hasText) => rows.filter({ hasText }), page.locator('table', { hasText: caption }).locator('tbody tr'));

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
  const debt = await call('haiquan', 'VN/GOV/000.00.00.G12/thue/debts/v1/debts/0100112437', {
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

test('the citizen sees who has read what at other agencies', async () => {
  const visitor = await visit(browser, nation.site('ninhbinh'));
  await visitor.signIn('citizen');
  await visitor.page.goto('/my/reads');
  await visitor.page.locator('tr', { hasText: 'Tra cứu thông tin dân cư' }).first().waitFor();
  await visitor.close();
});

test('a building permit asks the fire police at their own node, and their answer comes back with its proof', async () => {
  const [town, police] = [nation.site('ninhbinh'), nation.site('congan')];
  const enter = async (site, role) => {
    const visitor = await visit(browser, site);
    await visitor.signIn(role);
    return visitor;
  };
  const citizen = await enter(town, 'citizen');
  const clerk = await enter(town, 'receptionist');
  const reviewer = await enter(town, 'specialist');
  const officer = await enter(police, 'consulted');
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
  for (const flow of [/^\s*Tỉnh Ninh Bình\s*Bộ Công an\s*Lấy ý kiến/, /^\s*Bộ Công an\s*Tỉnh Ninh Bình\s*Lấy ý kiến/]) {
    await row(visitor.page, 'Thông điệp trong', flow).waitFor({ timeout: 30_000 });
  }
  await visitor.close();
});

test('the map shows members and traffic, keeps itself current, and says that a node has died', async () => {
  const visitor = await visit(browser, nation.site('vpcp'));
  const { page } = visitor;
  await page.goto('/exchange');
  await page.locator('a[href="/exchange/map"]').click();
  const asked = row(page, 'Thông điệp trong', 'Tỉnh Ninh Bình', 'Tra cứu dân cư');
  await asked.waitFor({ timeout: 30_000 });
  await row(page, 'Thông điệp trong', 'Cục Hải quan', 'Tra cứu thẻ').waitFor({ timeout: 30_000 });
  // All eight.
  await page.locator('td', { hasText: /^\s*Trả lời\s*$/ }).nth(7).waitFor({ timeout: 20_000 });
  await inspect(page, 'exchange-map');

  // The nation's own traffic goes on, and the page shows it without being loaded again.
  await page.evaluate(() => (window.still = true));
  const messages = async () => Number((await asked.first().locator('td').nth(2).textContent()).replace(/\D/g, ''));
  const before = await messages();
  await call('ninhbinh', `VN/GOV/000.00.00.G01/dancu/persons/v1/persons/${CITIZEN}`, { 'X-Road-Client': TOWN });
  for (let tries = 0; (await messages()) <= before; tries += 1) {
    assert.ok(tries < 100, 'the map shows new messages');
    await wait(200);
  }

  process.kill(Number(await readFile(join(nation.data, 'haiquan', 'motcua.pid'), 'utf8')), 'SIGKILL');
  await row(page, 'Thành viên', 'Cục Hải quan').filter({ hasText: 'Không trả lời từ' }).waitFor({ timeout: 20_000 });
  assert.equal(await page.evaluate(() => window.still), true, 'the page was not loaded again');
  assert.match(nation.output, /Nút Cục Hải quan đã dừng/);
  // The others go on.
  const person = await call('ninhbinh', `VN/GOV/000.00.00.G01/dancu/persons/v1/persons/${CITIZEN}`, { 'X-Road-Client': TOWN });
  assert.equal(person.status, 200);
  await visitor.close();

  const plain = await visit(browser, nation.site('ninhbinh'), { js: false });
  await plain.page.goto('/exchange/map');
  await row(plain.page, 'Thành viên', 'Cục Hải quan').filter({ hasText: 'Không trả lời từ' }).waitFor();
  await plain.page.getByRole('link', { name: 'Làm mới' }).click();
  await row(plain.page, 'Thành viên', 'Bộ Công an').waitFor();
  await plain.close();
});

test('the nation stops as a whole, and starts again with what it had', async () => {
  assert.equal(await nation.stop({ keep: true }), 'exit code 0', nation.output);
  for (const member of ['vpcp', 'ninhbinh', 'congan']) {
    await assert.rejects(ask(`${nation.site(member).local}/healthz`), `${member} has stopped`);
  }
  nation = await startNation({ data: nation.data });
  const debt = await call('haiquan', 'VN/GOV/000.00.00.G12/thue/debts/v1/debts/0100112437', {
    'X-Road-Client': 'VN/GOV/000.00.18.G12/haiquan',
    'X-Motcua-Purpose': 'customs.clearance',
  });
  assert.equal(debt.status, 200, debt.text);
});
