// Answers the questions of a page as a person does: what the test knows by name, anything valid for the rest.
import assert from 'node:assert/strict';

/** What is typed where the test says nothing, by what the field looks like. */
const USUAL = {
  date: '15/06/2020',
  tel: '0912345678',
  email: 'nguoi.dan@example.vn',
  numeric: '1',
  decimal: '50',
  province: 'Ninh Bình',
  commune: 'Phường Hoa Lư',
  detail: 'Số 12, đường Lê Đại Hành',
  sheet: '12',
  parcel: '345',
  text: 'Nguyễn Văn An',
  long: 'Theo giấy tờ kèm theo.',
};

/** A small real PDF with one page and a line of text. */
export function pdf(text = 'Giay to kem theo ho so') {
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>',
    '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>',
    ((stream) => `<</Length ${stream.length}>>\nstream\n${stream}\nendstream`)(`BT /F1 14 Tf 72 760 Td (${text}) Tj ET`),
    '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>',
  ];
  let file = '%PDF-1.4\n';
  const offsets = objects.map((object, n) => {
    const at = file.length;
    file += `${n + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const start = file.length;
  const rows = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('');
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}trailer\n<</Size ${objects.length + 1}/Root 1 0 R>>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(file, 'latin1');
}

/** Everything on this page that can be answered, by name. */
function controls(form) {
  return form.locator('input[name], select[name], textarea[name]').evaluateAll((all) => {
    const found = new Map();
    for (const e of all) {
      if (e.type === 'hidden' || e.disabled || e.readOnly) continue;
      const label = document.querySelector(`label[for="${CSS.escape(e.id.replace(/-select$/, ''))}"]`);
      const legend = e.closest('fieldset')?.querySelector('legend');
      const optional = [label, e.type === 'radio' || e.type === 'checkbox' || /\.(day|month|year)$/.test(e.name) ? legend : null].some((text) => text?.querySelector('.mc-optional'));
      const entry = found.get(e.name) ?? { name: e.name, kind: e.tagName === 'INPUT' ? e.type : e.tagName.toLowerCase(), mode: e.inputMode, values: [], filled: false, optional };
      entry.values.push(e.tagName === 'SELECT' ? [...e.options].map((o) => [o.value, o.text.trim()]).filter(([v]) => v) : e.value);
      entry.filled ||= e.type === 'radio' || e.type === 'checkbox' ? e.checked : e.tagName !== 'INPUT' || e.type !== 'file' ? e.value !== '' : false;
      found.set(e.name, entry);
    }
    return [...found.values()];
  });
}

/**
 * Fills the form of the page. `answers` by field id: text, `dd/mm/yyyy`, the value of an option, a list of values, or a list of
 * `{ name, body, type }` for files. What is filled in already, and what is optional, stays as it is unless
 * an answer names it. `null` leaves a field empty.
 */
export async function fill(page, answers = {}) {
  const form = page.locator('main form').filter({ has: page.locator('button') }).last();
  const dates = new Set();
  for (const control of await controls(form)) {
    const { name, kind } = control;
    const date = name.match(/^(.*)\.(day|month|year)$/);
    const id = date ? date[1] : name;
    const given = answers[id];
    if (given === null || (given === undefined && (control.filled || control.optional))) continue;
    if (date) {
      if (dates.has(id)) continue;
      dates.add(id);
      const parts = String(given ?? USUAL.date).split('/');
      for (const [n, part] of ['day', 'month', 'year'].entries()) await form.locator(named(`${id}.${part}`)).fill(parts[n]);
    } else if (kind === 'radio') {
      await form.locator(`${named(name)}[value="${given ?? control.values[0]}"]`).check();
    } else if (kind === 'checkbox') {
      for (const value of [].concat(given ?? control.values[0])) await form.locator(`${named(name)}[value="${value}"]`).check();
    } else if (kind === 'select') {
      await choose(form, name, control.values[0], given);
    } else if (kind === 'file') {
      const files = [].concat(given ?? { name: `${name}.pdf`, body: pdf(name), type: 'application/pdf' });
      await form.locator(named(name)).setInputFiles(files.map((f) => ({ name: f.name, mimeType: f.type, buffer: f.body })));
    } else if (kind !== 'submit' && kind !== 'button') {
      const usual = USUAL[name.split('.').pop()] ?? (kind === 'textarea' ? USUAL.long : USUAL[control.mode] ?? USUAL[kind]) ?? USUAL.text;
      await form.locator(named(name)).fill(String(given ?? usual));
    }
  }
}

const named = (name) => `[name="${name}"]`;

async function choose(form, name, options, given) {
  const wanted = given ?? (name.endsWith('.province') ? USUAL.province : options[0][0]);
  const option = options.find(([value, text]) => value === wanted || text === wanted || text.endsWith(wanted));
  assert.ok(option, `${name} offers no ${wanted}`);
  await pick(form, name, option);
}

/** Chooses an option, `[value, text]`, of a list. With JavaScript a long one is a box that filters while one types. */
export async function pick(within, name, [value, text]) {
  const select = within.locator(`select${named(name)}`);
  if (await select.isVisible()) return select.selectOption(value);
  const box = within.locator(`.mc-combo:has(+ select${named(name)})`).locator('input[role=combobox]');
  await box.fill(text);
  await box.press('Tab');
  assert.equal(await select.inputValue(), value);
}

/** Presses the main button of the page's form; fails with the problems when the page refuses. */
export async function proceed(page) {
  const before = page.url();
  const form = page.locator('main form').filter({ has: page.locator('button') }).last();
  await Promise.all([page.waitForEvent('load'), form.locator('button:not(.mc-button--secondary):not(.mc-button--plain)').first().click()]);
  const summary = page.locator('.mc-error-summary');
  if ((await summary.count()) > 0) throw new Error(`${before} refuses:\n${await summary.innerText()}`);
}
