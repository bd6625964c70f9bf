// The demonstration nation: seven nodes, each a process of its own, that meet, grant and ask; the map that shows it; a node that dies.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect, openBrowser, visit } from './support/browser.mjs';
import { ask, startNation } from './support/server.mjs';

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

test('the map shows members and traffic, keeps itself current, and says that a node has died', async () => {
  const visitor = await visit(browser, nation.site('vpcp'));
  const { page } = visitor;
  await page.goto('/exchange');
  await page.locator('a[href="/exchange/map"]').click();
  const asked = row(page, 'Thông điệp trong', 'Tỉnh Ninh Bình', 'Tra cứu dân cư');
  await asked.waitFor({ timeout: 30_000 });
  await row(page, 'Thông điệp trong', 'Cục Hải quan', 'Tra cứu thẻ').waitFor({ timeout: 30_000 });
  // All seven.
  await page.locator('td', { hasText: /^\s*Trả lời\s*$/ }).nth(6).waitFor({ timeout: 20_000 });
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
