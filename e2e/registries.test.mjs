// The keepers of registries and those whom the records are about: what a steward mends, decides and answers; what a person sees and
// contests; what is asked over registries and proposed from them.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect, openBrowser, visit } from './support/browser.mjs';
import { fill, pick, proceed } from './support/form.mjs';
import { firstSignIn } from './support/officer.mjs';
import { PEOPLE, settlePeople, startKeeper } from './support/registries.mjs';

const { mother, homeless, child, misspelt, moved, unclear, twins } = PEOPLE;
const DOSSIER = 'H42.28-261128-0001';
const POPULATION = '/registries/population';

let browser, server;
/** Who is signed in, by role: officers of the agency that keeps the registries, and people and a leader of the demonstration. */
const seats = {};
before(async () => {
  const started = await startKeeper();
  server = started.server;
  browser = await openBrowser();
  for (const [role, officer] of Object.entries(started.officers)) {
    seats[role] = await visit(browser, server);
    await firstSignIn(seats[role].page, officer);
    seats[role].name = officer.name;
  }
  await settlePeople(seats.steward.page);
  for (const role of ['citizen', 'business', 'leader']) {
    seats[role] = await visit(browser, server);
    await seats[role].signIn(role);
  }
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const said = (page) => page.locator('main').innerText();
const press = (page, name) => Promise.all([page.waitForEvent('load'), page.locator('main').getByRole('button', { name, exact: true }).click()]);
const follow = (page, name) => Promise.all([page.waitForEvent('load'), page.locator('main').getByRole('link', { name }).first().click()]);
const button = (page, name) => page.locator('main').getByRole('button', { name, exact: true });
const problems = (page) => page.locator('.mc-error-summary').innerText();

/** Looks again until it is so: jobs do their work within moments. */
async function until(what, look) {
  for (let tries = 0; !(await look()); tries += 1) {
    assert.ok(tries < 120, what);
    await wait(250);
  }
}

/** How many findings wait, as the head of the queue says it. */
async function waiting(page) {
  await page.goto(`${POPULATION}/queue`);
  return Number((await page.locator('main p strong').first().innerText()).replace(/\D/g, ''));
}

/** The record and its history, looked up by its key for a purpose; what is shown of it. */
async function record(page, key) {
  await page.goto(`${POPULATION}/record`);
  await fill(page, { key, purpose: 'registry.quality' });
  await proceed(page);
  return said(page);
}
const versions = (page) => page.locator('table', { hasText: 'Mọi lần ghi' }).locator('tbody tr').allInnerTexts();

test('no purpose, no data: what is shown of a record has its reason, and the person sees who looked', async () => {
  const { page } = seats.reader;
  await page.goto('/registries');
  await inspect(page, 'registries-all');
  await follow(page, 'Cơ sở dữ liệu quốc gia về dân cư');
  assert.match(await said(page), /Bộ Công an G01/, 'whose registry it is, by name');
  assert.equal(await page.locator('main').getByRole('link', { name: 'Việc cần rà soát' }).count(), 0, 'who only reads has no queue');
  await inspect(page, 'registries-one');
  await follow(page, 'Tra cứu bản ghi');
  await page.locator('input[name=key]').fill(mother.number);
  await press(page, 'Xem');
  assert.match(await problems(page), /Chọn mục đích xem dữ liệu/);
  assert.ok(!(await said(page)).includes(mother.name), 'nothing is shown');
  await inspect(page, 'registries-record-refused');
  await page.locator('select[name=purpose]').selectOption({ label: 'Xác minh thông tin khi giải quyết hồ sơ' });
  await press(page, 'Xem');
  assert.match(await problems(page), /nhập mã hồ sơ là lý do xem dữ liệu/, 'nobody looks for no reason');
  assert.ok(!(await said(page)).includes(mother.name), 'nothing is shown');
  await page.locator('input[name=dossier]').fill(DOSSIER);
  await press(page, 'Xem');
  const shown = await said(page);
  for (const part of [mother.name, '12/05/1990', 'phường Hoa Lư', 'Sổ hộ khẩu số hoá']) assert.ok(shown.includes(part), `${part}: ${shown}`);
  assert.doesNotMatch(shown, /\d{4}-\d{2}-\d{2}/, 'days as people write them');
  await inspect(page, 'registries-record');
  // Before it was recorded nothing held.
  await page.locator('summary', { hasText: 'Xem tại một thời điểm khác' }).click();
  await page.locator('#as_of').fill('31/12/2019');
  await press(page, 'Xem');
  assert.ok(!(await said(page)).includes(mother.name));
  await page.locator('#as_of').fill('31/02/2019');
  await press(page, 'Xem');
  assert.match(await problems(page), /Nhập ngày dạng 31\/12\/2025/);
  assert.equal(await page.locator('#as_of').inputValue(), '31/02/2019', 'what was typed stays, and is in sight');
  assert.ok(await page.locator('#as_of').isVisible());

  const own = seats.citizen.page;
  await own.goto('/my/reads');
  await own.locator('main tr', { hasText: 'Xác minh thông tin khi giải quyết hồ sơ' }).filter({ hasText: DOSSIER }).first().waitFor();
});

test('the queue, by the keyboard: found, taken, corrected with one press; the history says so and the queue is one shorter', async () => {
  const { page, name } = seats.steward;
  await until('all records are judged', async () => (await waiting(page)) === 33);
  await inspect(page, 'registries-queue');
  // One row can be told from the next, and there is a way on and back.
  const rows = await page.locator('main tbody th').allInnerTexts();
  assert.equal(new Set(rows).size, rows.length, 'no two rows are alike');
  await follow(page, 'Trang sau');
  assert.equal(await page.locator('main tbody tr').count(), 8);
  await follow(page, 'Về đầu danh sách');
  assert.equal(await page.locator('main tbody tr').count(), 25);

  await page.locator('select[name=rule]').focus();
  await page.keyboard.type('Họ tên');
  await page.locator('main').getByRole('button', { name: 'Lọc' }).focus();
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  await page.keyboard.press('j');
  await Promise.all([page.waitForURL('**/findings/*'), page.keyboard.press('Enter')]);
  const finding = page.url();
  for (const part of [misspelt.right, misspelt.number, 'Chưa ai nhận']) assert.ok((await said(page)).includes(part), part);
  await inspect(page, 'registries-finding');
  await button(page, 'Nhận việc').focus();
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  await button(page, 'Trả lại việc').waitFor();

  // A colleague sees whose it is.
  const colleague = seats.colleague.page;
  await colleague.goto(finding);
  assert.ok((await said(colleague)).includes(name));
  assert.equal(await button(colleague, 'Nhận việc').count(), 0);
  await page.goto(`${POPULATION}/queue?whose=mine`);
  assert.equal(await page.locator('main tbody tr').count(), 1);

  await page.goto(finding);
  await button(page, 'Ghi giá trị này').focus();
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  assert.match(await said(page), /Đã ghi đính chính/);
  await until('the queue is one shorter', async () => (await waiting(page)) === 32);
  await page.goto(finding);
  assert.match(await said(page), /Đã khắc phục[\s\S]*Khắc phục bởi phiên bản/);
  assert.equal(await button(page, 'Ghi giá trị này').count(), 0);
  await press(page, 'Xem lịch sử bản ghi');
  assert.ok((await said(page)).includes(misspelt.right));
  const lines = await versions(page);
  assert.equal(lines.length, 2, lines.join('\n'));
  assert.ok(lines[1].includes('Đính chính') && lines[1].includes(name), lines[1]);
});

test('what the machine cannot know a steward chooses, or says why it is right; a refusal loses nothing', async () => {
  const { page } = seats.steward;
  const before = await waiting(page);
  const open = async (rule, n = 0) => {
    await page.goto(`${POPULATION}/queue?rule=${rule}`);
    await Promise.all([page.waitForURL('**/findings/*'), page.locator('main tbody a').nth(n).click()]);
  };
  await open('commune-of-today');
  if ((await said(page)).includes(moved.number)) await open('commune-of-today', 1);
  assert.ok((await said(page)).includes(unclear.number));
  assert.ok((await page.locator('main input[name=proposal]').count()) > 1, 'a divided commune is offered with its parts');
  await inspect(page, 'registries-finding-choice');
  await press(page, 'Ghi giá trị này');
  assert.ok(await page.locator('.mc-error-summary').isVisible(), 'a value is to be chosen');
  await page.locator('main input[name=proposal]').first().check();
  await press(page, 'Ghi giá trị này');
  await until('the divided commune is written', async () => (await waiting(page)) === before - 1);

  await open('full-birth-date');
  await page.locator('summary', { hasText: 'Bản ghi vẫn đúng' }).click();
  await press(page, 'Chấp nhận bản ghi');
  assert.ok(await page.locator('.mc-error-summary').isVisible(), 'a reason is needed');
  assert.ok(await page.locator('textarea[name=reason]').isVisible(), 'and its place is in sight');
  await page.locator('textarea[name=reason]').fill('Giấy khai sinh gốc chỉ ghi năm sinh.');
  await press(page, 'Chấp nhận bản ghi');
  assert.match(await said(page), /Đã chấp nhận bản ghi kèm lý do/);
  await page.goto(`${POPULATION}/queue?state=excused`);
  await follow(page, 'Chưa rõ ngày hoặc tháng sinh');
  assert.match(await said(page), /Giấy khai sinh gốc chỉ ghi năm sinh\./);

  // Written by hand, with the province that an address needs: what is no commune is refused at its place, and stands there still.
  await open('has-residence');
  if ((await said(page)).includes(homeless.number)) await open('has-residence', 1);
  await pick(page, 'field.residence.province', ['37', 'Ninh Bình']);
  const commune = page.locator('input[name="field.residence.commune"]');
  await commune.fill('99999');
  await press(page, 'Ghi đính chính');
  assert.equal(await commune.inputValue(), '99999');
  assert.equal(await commune.getAttribute('aria-invalid'), 'true');
  await inspect(page, 'registries-finding-refused');
  await commune.fill('phuong hoa lu');
  await press(page, 'Ghi đính chính');
  await until('the residence is written', async () => (await waiting(page)) === before - 3);

  await page.goto(`${POPULATION}/batches?rule=commune-of-today`);
  assert.ok((await said(page)).includes(moved.number));
  await inspect(page, 'registries-batches');
});

test('a doubt of an officer: two stewards answer at once, the second is told who was faster', async () => {
  const [reader, first, second] = [seats.reader.page, seats.steward.page, seats.colleague.page];
  await record(reader, unclear.number);
  await reader.locator('select[name=field]').selectOption('birth_date');
  await reader.locator('[name=evidence]').fill('Giấy khai sinh số 12/1975');
  await press(reader, 'Gửi phản ánh');
  assert.match(await problems(reader), /Nêu điều chưa đúng/);
  assert.equal(await reader.locator('[name=evidence]').inputValue(), 'Giấy khai sinh số 12/1975', 'nothing typed is lost');
  await reader.locator('[name=wrong]').fill('Thiếu ngày và tháng sinh.');
  await reader.locator('[name=right]').fill('19/08/1975');
  await press(reader, 'Gửi phản ánh');
  await reader.waitForURL('**/doubts/*');
  const doubt = new URL(reader.url()).pathname;
  assert.match(await said(reader), /Chờ tiếp nhận/);
  assert.equal(await button(reader, 'Đính chính và trả lời').count(), 0, 'who reports does not answer');

  await first.goto(`${POPULATION}/doubts`);
  await inspect(first, 'registries-doubts');
  await follow(first, 'Ngày, tháng, năm sinh');
  await press(first, 'Tiếp nhận');
  await second.goto(doubt);
  assert.ok((await said(second)).includes(seats.steward.name), 'whose it is');
  await inspect(second, 'registries-doubt');
  for (const page of [first, second]) await page.locator('#answer-correct').fill('Đã đối chiếu giấy khai sinh.');
  // A day that is none is refused, and the answer stands there still.
  await first.locator('input[name="field.birth_date"]').fill('1975-13-45');
  await press(first, 'Đính chính và trả lời');
  assert.equal(await first.locator('#answer-correct').inputValue(), 'Đã đối chiếu giấy khai sinh.');
  for (const page of [first, second]) await page.locator('input[name="field.birth_date"]').fill('1975-08-19');
  await press(first, 'Đính chính và trả lời');
  assert.match(await said(first), /Đã đính chính/);
  const late = second.waitForResponse((answer) => answer.request().method() === 'POST');
  await press(second, 'Đính chính và trả lời');
  assert.equal((await late).status(), 409);
  assert.ok((await problems(second)).includes(seats.steward.name), await problems(second));
  await inspect(second, 'registries-doubt-faster');

  await reader.goto(doubt);
  assert.match(await said(reader), /Đã đối chiếu giấy khai sinh\./);
  assert.ok((await record(first, unclear.number)).includes('19/08/1975'));
  const corrected = (await versions(first)).filter((line) => line.includes(doubt.split('/').pop()));
  assert.equal(corrected.length, 1, 'the record was corrected once, and says by which doubt');
});

test('two records of one person: reasons, a merge, and the way back', async () => {
  const { page, name } = seats.steward;
  const list = `${POPULATION}/pairs`;
  await until('the pair is found', async () => {
    await page.goto(list);
    return (await page.locator('main tbody tr').count()) === 1;
  });
  assert.match(await said(page), /Rất có thể là cùng một người[\s\S]*Ngày, tháng, năm sinh trùng khớp/);
  assert.ok(!(await said(page)).includes(twins[0].name), 'the list names nobody');
  await inspect(page, 'registries-pairs');
  await Promise.all([page.waitForURL('**/pairs/*'), page.locator('main tbody a').click()]);
  const pair = page.url();
  for (const twin of twins) assert.ok((await said(page)).includes(twin.number));
  await inspect(page, 'registries-pair');
  const first = await page.locator('main tbody tr', { hasText: 'Số định danh cá nhân' }).locator('td').first().innerText();
  await page.locator('input[name=verdict][value=same-first]').check();
  await press(page, 'Ghi quyết định');
  assert.ok(await page.locator('.mc-error-summary').isVisible(), 'a reason is needed');
  assert.ok(await page.locator('input[name=verdict][value=same-first]').isChecked(), 'what was chosen stays');
  await page.locator('input[name=why]').fill('Cùng một người, cấp hai số năm 2016');
  await press(page, 'Ghi quyết định');
  assert.match(await said(page), /Bản ghi đã chấm dứt vì hợp nhất/);
  assert.equal(await page.locator('main tbody .mc-tag', { hasText: /^\s*khác\s*$/ }).count(), 0, 'what is ended differs in nothing');
  await inspect(page, 'registries-pair-merged');
  const other = twins.find(({ number }) => number !== first);
  await page.goto(list);
  assert.match(await said(page), /Không có cặp nào/);
  await page.goto(`${POPULATION}/record`);
  await page.locator('input[name=key]').fill(other.number);
  await page.locator('select[name=purpose]').selectOption('registry.quality');
  await press(page, 'Xem');
  assert.ok(await page.locator('.mc-error-summary').isVisible(), 'nothing holds of the second');

  await page.goto(pair);
  await page.locator('input[name=why]').fill('Hai người khác nhau, đã xác minh');
  await press(page, 'Hoàn tác quyết định');
  for (const twin of twins) assert.ok((await record(page, twin.number)).includes(twin.number), 'both are back');
  await page.goto(pair);
  const acts = await page.locator('table', { hasText: 'Từ cũ đến mới' }).locator('tbody tr').allInnerTexts();
  assert.equal(acts.length, 2);
  assert.ok(acts[0].includes('hợp nhất') && acts[1].includes('Hoàn tác') && acts.every((act) => act.includes(name)), acts.join('\n'));
});

test('a list from elsewhere without a number: which row is which record, decided by people, taken back, and removed', async () => {
  const { page } = seats.steward;
  const files = `${POPULATION}/files`;
  await page.goto(`${POPULATION}/pairs`);
  await follow(page, 'So sánh một tệp bên ngoài');
  await inspect(page, 'registries-files');
  // Without its ground nothing is taken in, and what was typed stays.
  const rows = [
    ['Họ và tên', 'Ngày sinh', 'Giới tính', 'Mã xã', 'Số tiền'],
    ['NGUYEN THI HUONG', '12/05/1990', 'Nữ', '14329', '500000'],
    ['Nguyễn Thị Hường', '05/03/1980', 'Nữ', '', '300000'],
    ['Vũ  Thị Lan', '20/7/1991', 'Nữ', '', '=1+1'],
    ['Trịnh Không Ai', '01/01/2000', 'Nam', '14329', '100000'],
    ['Đỗ Thị Sai', '30/02/1990', 'Nữ', '', ''],
  ];
  const buffer = Buffer.from(`\ufeff${rows.map((row) => row.join(';')).join('\r\n')}\r\n`);
  const bring = async () => {
    await page.locator('main input[type=file]').setInputFiles({ name: 'danh sách <b>.csv', mimeType: 'text/csv', buffer });
    await press(page, 'Nộp tệp');
  };
  await page.locator('[name=note]').fill('Danh sách của hội');
  await bring();
  assert.match(await problems(page), /Nêu mục đích và căn cứ pháp lý/);
  assert.equal(await page.locator('[name=note]').inputValue(), 'Danh sách của hội');
  await page.locator('[name=basis]').fill('Rà soát người hưởng trợ cấp, Nghị định 176/2025/NĐ-CP');
  await bring();
  await page.waitForURL(`**${files}/*`);
  const file = page.url();
  assert.match(await said(page), /danh sách <b>\.csv|Xác nhận các cột/);
  await inspect(page, 'registries-file-columns');
  await press(page, 'Bắt đầu so sánh');
  await until('the rows are compared', async () => {
    await page.goto(file);
    return /Đã so sánh xong/.test(await said(page));
  });
  await inspect(page, 'registries-file');

  // Each row that may be somebody is judged; the next comes by itself.
  await follow(page, 'Xem xét dòng tiếp theo');
  await inspect(page, 'registries-file-row');
  const judged = [];
  for (; page.url().includes('/rows/'); ) {
    judged.push(page.url());
    assert.ok(judged.length < 6, judged.join('\n'));
    await page.locator('input[name=verdict]').first().check();
    await press(page, 'Ghi và sang dòng tiếp theo');
  }
  assert.ok(judged.length >= 3, judged.join('\n'));
  await page.goto(judged[0]);
  await inspect(page, 'registries-file-row-decided');
  await press(page, 'Hoàn tác quyết định');

  await page.goto(file);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Tải kết quả (CSV)' }).click()]);
  const result = (await readFile(await download.path(), 'utf8')).trim().split('\r\n');
  const lines = result.length > 1 ? result : result[0].split('\n');
  assert.equal(lines.length, rows.length, lines.join('\n'));
  assert.ok(lines.some((line) => line.includes(moved.number)), 'the key of who was found');
  assert.ok(lines.some((line) => line.includes("'=1+1")), 'no formula');
  await page.locator('summary', { hasText: 'Xóa các dòng của tệp' }).click();
  await page.locator('[name=sure]').check();
  await press(page, 'Xóa các dòng');
  await page.goto(file);
  assert.match(await said(page), /Đã xóa các dòng/);
  assert.ok(!(await said(page)).includes('Vũ'), 'nothing of the rows is left');
  await inspect(page, 'registries-file-removed');
});

test('a sample is drawn, compared, and the share that is right is published', async () => {
  const { page } = seats.steward;
  const list = `${POPULATION}/samples`;
  await page.goto(list);
  await inspect(page, 'registries-samples-none');
  await fill(page, { size: '3', seed: 'bảy' });
  await press(page, 'Rút mẫu');
  assert.match(await problems(page), /Số khởi tạo ngẫu nhiên là một số nguyên/);
  assert.equal(await page.locator('input[name=size]').inputValue(), '3');
  await fill(page, { size: '3', seed: '7' });
  await proceed(page);
  await until('it is drawn', async () => {
    await page.goto(list);
    return /3 \/ \d+/.test(await said(page));
  });
  await Promise.all([page.waitForURL('**/samples/*'), page.locator('main tbody a').click()]);
  await inspect(page, 'registries-sample');
  for (let n = 0; n < 3; n += 1) {
    for (const right of await page.locator('main input[value=right]').all()) await right.check();
    if (n === 2) await page.locator('main input[value=wrong]').last().check();
    await press(page, 'Ghi kết quả và sang bản ghi sau');
  }
  assert.match(await said(page), /Không còn bản ghi nào chờ đối chiếu/);
  await page.goto(list);
  assert.match(await said(page), /66,67 %/);
  await inspect(page, 'registries-samples');
  await page.goto('/publication/registries');
  assert.match(await said(page), /66,67 % \(khoảng tin cậy 95 %: .*; 3 bản ghi\)/);
  await inspect(page, 'registries-publication');
});

test('a person sees what is held, contests it, is asked for evidence, and sees the answer', async () => {
  const [own, steward] = [seats.citizen.page, seats.steward.page];
  await own.goto('/my/records');
  const held = await said(own);
  for (const part of [mother.number, '12/05/1990', 'Số 5, đường Tràng An', 'Số 21, đường Trần Phú', 'Bộ Công an']) assert.ok(held.includes(part), part);
  assert.doesNotMatch(held, /G01|female|\d{4}-\d{2}-\d{2}/, 'no codes, and days as people write them');
  await inspect(own, 'registries-my-records');
  await Promise.all([own.waitForURL('**/residence.detail'), own.locator('main .mc-summary__row', { hasText: 'Số 5, đường Tràng An' }).getByRole('link').click()]);
  await own.locator('[name=right]').fill('Số 21, đường Trần Phú');
  await press(own, 'Gửi phản ánh');
  assert.match(await problems(own), /Nêu điều chưa đúng/);
  assert.equal(await own.locator('[name=right]').inputValue(), 'Số 21, đường Trần Phú');
  await inspect(own, 'registries-contest');
  await own.locator('[name=wrong]').fill('Tôi đã chuyển nhà từ tháng trước.');
  // A file that may not stay is named beside the field, and nothing typed is lost.
  await own.locator('[name=file]').setInputFiles({ name: 'giấy.zip', mimeType: 'application/pdf', buffer: Buffer.from('PK\x03\x04 zip') });
  await press(own, 'Gửi phản ánh');
  assert.match(await problems(own), /“giấy\.zip”: Không nhận ra định dạng tệp/);
  assert.equal(await own.locator('[name=wrong]').inputValue(), 'Tôi đã chuyển nhà từ tháng trước.');
  await inspect(own, 'registries-contest-file');
  const photograph = await own.screenshot();
  await own.locator('[name=file]').setInputFiles([
    { name: 'giấy xác nhận cư trú.png', mimeType: 'image/png', buffer: photograph },
    { name: 'chụp lại.png', mimeType: 'image/png', buffer: photograph },
  ]);
  await press(own, 'Gửi phản ánh');
  await own.waitForURL('**/my/doubts/*');
  const mine = own.url();
  assert.match(await said(own), /Chờ tiếp nhận/);
  assert.match(await said(own), /giấy xác nhận cư trú\.png/);
  assert.doesNotMatch(await said(own), /chụp lại\.png/, 'the same picture twice is one');
  await inspect(own, 'registries-my-doubt');

  await steward.goto(`${POPULATION}/doubts`);
  await follow(steward, 'Địa chỉ chi tiết');
  await steward.locator('summary', { hasText: 'Hỏi thêm bằng chứng' }).click();
  await steward.locator('[name=question]').fill('Quý vị gửi số giấy xác nhận cư trú.');
  await press(steward, 'Gửi câu hỏi');
  await own.goto('/my/records');
  await own.locator('section[aria-labelledby=news]').getByRole('link', { name: 'Địa chỉ chi tiết' }).click();
  await own.getByText('Quý vị gửi số giấy xác nhận cư trú.').waitFor();
  await own.locator('[name=evidence]').fill('Giấy xác nhận số 45/XN');
  await own.locator('[name=file]').setInputFiles({ name: 'sổ hộ khẩu cũ.png', mimeType: 'image/png', buffer: await steward.screenshot() });
  await inspect(own, 'registries-my-doubt-asked');
  await press(own, 'Gửi');
  await own.getByText('sổ hộ khẩu cũ.png').first().waitFor();

  await steward.reload();
  assert.match(await said(steward), /Giấy xác nhận số 45\/XN/);
  await inspect(steward, 'registries-doubt-files');
  const [download] = await Promise.all([steward.waitForEvent('download'), steward.getByRole('link', { name: 'giấy xác nhận cư trú.png' }).click()]);
  assert.equal(download.suggestedFilename(), 'giấy xác nhận cư trú.png');
  assert.deepEqual(await readFile(await download.path()), photograph);
  await steward.locator('input[name="field.residence.detail"]').fill('Số 21, đường Trần Phú');
  await steward.locator('#answer-correct').fill('Đã đính chính theo giấy xác nhận cư trú.');
  await press(steward, 'Đính chính và trả lời');

  await own.goto('/my/records');
  assert.equal((await said(own)).match(/Số 21, đường Trần Phú/g)?.length, 2, 'both registries say it');
  await inspect(own, 'registries-my-records-news');
  await press(own, 'Đánh dấu đã đọc');
  assert.equal(await own.locator('section[aria-labelledby=news]').count(), 0);
  await own.goto(mine);
  for (const part of ['Đã đính chính', 'Đã đính chính theo giấy xác nhận cư trú.', seats.steward.name]) assert.ok((await said(own)).includes(part), part);
  assert.equal(await button(own, 'Rút phản ánh').count(), 0, 'it is answered');
  // Nobody else's.
  const strange = await seats.business.page.goto(mine);
  assert.ok([403, 404].includes(strange.status()), `${strange.status()}`);
  await own.goto(mine);
  const file = await own.getByRole('link', { name: 'giấy xác nhận cư trú.png' }).getAttribute('href');
  const stolen = await seats.business.page.request.get(file);
  assert.equal(stolen.status(), 404);
});

test('an approved question tells its ground to everybody, and its answer for its purpose only', async () => {
  const stranger = await visit(browser, server);
  await stranger.page.goto('/registries/questions');
  await inspect(stranger.page, 'registries-questions');
  await follow(stranger.page, 'Nơi thường trú trong Cơ sở dữ liệu quốc gia về dân cư');
  assert.equal(await stranger.page.locator('main form').count(), 0, 'nobody else asks');
  await stranger.close();

  const { page } = seats.reader;
  await page.goto('/registries/questions/residence-behind');
  await page.locator('input[name=person_number]').fill(mother.number);
  await press(page, 'Hỏi');
  assert.match(await problems(page), /Nhập mã hồ sơ[\s\S]*Đánh dấu mục đích/);
  assert.equal(await page.locator('main .mc-notice').count(), 0, 'no answer');
  await inspect(page, 'registries-question-refused');
  await page.locator('input[name=dossier]').fill(DOSSIER);
  await page.locator('input[name=purpose]').check();
  await press(page, 'Hỏi');
  const answer = await said(page);
  assert.match(answer, /^Có\n+Kết luận theo dữ liệu/m);
  assert.ok(!answer.includes('Trần Phú') && !answer.includes(mother.name), 'the answer and nothing else');
  assert.match(answer, /1 lần hỏi: 1 lần có câu trả lời/);
  await inspect(page, 'registries-question');
});

test('the ladder: reminded, prepared, recommended, done by the state unless one says no; and none of it, if one wants none', async () => {
  const leader = seats.leader.page;
  await leader.goto('/desk/proposals');
  await inspect(leader, 'proposals-rules');
  const runs = { 'birth-registration': child, 'child-health-card': child, 'permanent-residence': homeless, 'residence-behind': mother };
  for (const [rule, { number }] of Object.entries(runs)) {
    await leader.goto(`/desk/proposals/${rule}`);
    await leader.locator('textarea[name=people]').fill(number);
    await press(leader, 'Bắt đầu rà soát');
  }
  for (const rule of Object.keys(runs)) {
    await until(`${rule} is looked through`, async () => {
      await leader.goto(`/desk/proposals/${rule}`);
      return (await leader.locator('main tbody tr', { hasText: 'Xong' }).count()) === 1;
    });
  }
  await inspect(leader, 'proposals-rule');

  const own = seats.citizen.page;
  const open = async (page, name) => {
    await page.goto('/my/proposals');
    await follow(page, name);
  };
  await own.goto('/my/proposals');
  assert.equal(await own.locator('main .mc-tasks__item').count(), 3);
  assert.ok(!(await said(own)).includes(child.number), 'never the whole number of the child');
  await inspect(own, 'proposals-mine');

  await open(own, 'Đăng ký khai sinh cho con');
  await inspect(own, 'proposals-remind');
  assert.match((await own.locator('main').getByRole('link', { name: 'Xem thủ tục' }).getAttribute('href')) ?? '', /\/services\/1\.001193$/);

  // Prepared: what the registries hold of the child is in the draft, and nothing is filed.
  await open(own, 'Cấp thẻ bảo hiểm y tế');
  await inspect(own, 'proposals-prefill');
  await press(own, 'Mở hồ sơ đã điền sẵn');
  await own.waitForURL('**/drafts/*');
  await own.goto(`${new URL(own.url()).pathname}/check`);
  for (const part of [child.name, child.born]) assert.ok((await said(own)).includes(part), part);

  // Done by the state: announced with its day, and one may say no.
  await open(own, 'Cập nhật nơi thường trú');
  assert.match(await said(own), /Cơ quan sẽ tự động thực hiện lúc \d\d:\d\d ngày \d\d\/\d\d\/\d{4}\. Trước đó quý vị có quyền không đồng ý/);
  await inspect(own, 'proposals-act');
  await press(own, 'Không đồng ý');
  assert.match(await said(own), /Đã ghi nhận: quý vị không đồng ý/);
  assert.equal(await button(own, 'Không đồng ý').count(), 0);
  assert.match(await said(own), /Nội dung đã đề xuất:/, 'it is not told as if it were to come');
  await inspect(own, 'proposals-act-refused');

  // None of a kind any more, and again.
  await press(own, 'Đừng đề xuất việc này cho tôi nữa');
  assert.match(await said(own), /quý vị không nhận đề xuất này nữa/);
  await inspect(own, 'proposals-unwanted');
  await press(own, 'Nhận lại Cập nhật nơi thường trú trong dữ liệu dân cư');
  assert.match(await said(own), /Quý vị nhận lại đề xuất/);

  // Recommended: the way that fits first, and the draft of the way that was chosen.
  const business = seats.business.page;
  await open(business, 'Đăng ký thường trú');
  assert.match(await business.locator('section[aria-labelledby=ways] li').first().innerText(), /Chỗ ở thuê, mượn, ở nhờ[\s\S]*Nên chọn/);
  await inspect(business, 'proposals-recommend');
  await Promise.all([business.waitForURL('**/drafts/*'), button(business, 'Mở hồ sơ theo phương án này').first().click()]);

  await leader.goto('/desk/proposals/residence-behind');
  assert.match(await leader.locator('.mc-stat', { hasText: 'Không đồng ý' }).innerText(), /1/);
  await leader.goto('/publication/proposals');
  assert.match(await said(leader), /dưới 5/, 'few are not counted in public');
  await inspect(leader, 'proposals-public');
});

test('in English as in Vietnamese', async () => {
  const headings = {
    steward: [
      [`${POPULATION}/queue`, 'Việc cần rà soát', 'Work to do'],
      [`${POPULATION}/batches`, 'Chuẩn hóa theo lô', 'Standard forms, many at once'],
      [`${POPULATION}/doubts`, 'Phản ánh sai lệch', 'Doubts'],
      [`${POPULATION}/pairs`, 'Các cặp bản ghi nghi trùng', 'Pairs of records that may be the same'],
      [`${POPULATION}/samples`, 'Kiểm tra mẫu', 'Samples'],
      [`${POPULATION}/record`, 'Tra cứu bản ghi', 'Look up a record'],
      ['/registries/questions', 'Câu hỏi liên cơ quan', 'Questions over several agencies'],
    ],
    citizen: [
      ['/my/records', 'Dữ liệu về tôi', 'Data about me'],
      ['/my/proposals', 'Đề xuất cho quý vị', 'Proposed to you'],
    ],
    leader: [['/desk/proposals', 'Dịch vụ công chủ động', 'Proactive services']],
  };
  for (const [role, pages] of Object.entries(headings)) {
    const { page } = seats[role];
    for (const [path, ...texts] of pages) {
      for (const [lang, text] of [['en', texts[1]], ['vi', texts[0]]]) {
        await page.goto(`${path}?lang=${lang}`);
        assert.equal(await page.locator('html').getAttribute('lang'), lang);
        assert.equal((await page.locator('h1').innerText()).trim(), text, `${path} in ${lang}`);
      }
    }
  }
  for (const seat of Object.values(seats)) await seat.close();
});
