// The script of the pages in a real browser against a server that fails on purpose.
// CHROMIUM names the browser where it is not /usr/bin/chromium.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const PAGE = `<!doctype html><html lang="vi"><meta charset="utf-8"><title>Thử</title><link rel="stylesheet" href="/app.css">
<script type="module" src="/app.js"></script><body class="mc-body"><main>
<form method="post" action="/send" data-autosave="/save">
<input type="hidden" name="idempotency_key" value="k1"><input type="hidden" name="version" value="1">
<label for="name">Họ tên</label><input id="name" name="name" data-count="10"><div id="name-count"></div>
<label for="place">Nơi sinh</label><select id="place" name="place" data-filter class="mc-input mc-select"><option value="">Chọn</option>
<option value="1">Đà Nẵng</option><option value="2">Hà Nội</option></select>
<label for="file">Tệp</label><input type="file" id="file" name="file" data-upload-url="/up">
<button type="submit" name="go" value="1">Gửi</button></form>
<input data-search id="search"><table data-rows class="mc-table"><tbody>
<tr><td><a href="#a" id="a">a</a></td></tr><tr><td><a href="#b" id="b">b</a></td></tr></tbody></table>
<div id="live" data-live="/part" data-live-seconds="0.2"><b>0</b> <a href="#live" id="held">giữ</a><details id="m/1"><summary>một</summary>a</details><details id="m/2"><summary>hai</summary>b</details></div>
<div data-passkey="register" data-begin="/begin" data-finish="/finish" data-failed="Hỏng" hidden><button type="button">Khóa</button><p role="alert" hidden></p></div>
</main>`
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'"

let folder, server, browser, page, origin, seen

const read = (request) =>
  new Promise((done) => {
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => done(Buffer.concat(parts)))
  })

async function answer(request, response) {
  const body = await read(request)
  const json = (status, value) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  switch (`${request.method} ${request.url}`) {
    case 'GET /app.js':
      return response.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(join(folder, 'assets/app.js')))
    case 'GET /app.css':
      return response.writeHead(200, { 'content-type': 'text/css' }).end(readFileSync(join(folder, 'assets/app.css')))
    case 'POST /save':
      if (seen.failing-- > 0) return response.writeHead(503).end()
      seen.saves.push({ header: request.headers['x-autosave'], fields: new URLSearchParams(body.toString()) })
      return json(200, { fields: { version: seen.saves.length + 1 } })
    case 'POST /up':
      if (seen.refusal) return json(422, seen.refusal)
      seen.length = Number(request.headers['upload-length'])
      seen.name = decodeURIComponent(request.headers['upload-name'])
      return response.writeHead(201, { location: '/up/1', 'upload-offset': '0' }).end()
    case 'HEAD /up/1':
      return response.writeHead(200, { 'upload-offset': seen.data.length, 'upload-length': seen.length }).end()
    case 'PATCH /up/1': {
      if (seen.pieces++ === 1) {
        // The line is cut after a part of the piece was kept.
        seen.data = Buffer.concat([seen.data, body.subarray(0, 1000)])
        return request.socket.destroy()
      }
      if (Number(request.headers['upload-offset']) !== seen.data.length) {
        seen.clashes += 1
        return response.writeHead(409).end()
      }
      await seen.gate
      seen.data = Buffer.concat([seen.data, body])
      const headers = { 'upload-offset': seen.data.length }
      if (seen.data.length === seen.length) headers['upload-sha256'] = createHash('sha256').update(seen.data).digest('hex')
      return response.writeHead(204, headers).end()
    }
    case 'GET /part':
      if (seen.silent) return response.writeHead(503).end()
      seen.parts += 1
      return response.writeHead(200, { 'content-type': 'text/html' }).end(`<b>${seen.parts}</b> <a href="#live" id="held">giữ</a><details id="m/1"><summary>một</summary>a</details><details id="m/2"><summary>hai</summary>b</details>`)
    case 'POST /send':
      seen.posts.push(new URLSearchParams(body.toString()))
      await new Promise((done) => setTimeout(done, 1200))
      return response.writeHead(200, { 'content-type': 'text/html' }).end('ok')
    case 'POST /begin':
      return json(200, {
        publicKey: {
          challenge: 'AAECAwQFBgcICQoLDA0ODw',
          rp: { name: 'Một Cửa', id: 'localhost' },
          user: { id: 'AQID', name: 'u', displayName: 'u' },
          pubKeyCredParams: [-7, -257].map((alg) => ({ type: 'public-key', alg })),
        },
      })
    case 'POST /finish':
      seen.credential = JSON.parse(body.toString())
      return json(200, { location: '/done' })
    default:
      if (request.url.startsWith('/assets/')) return response.writeHead(404).end()
      return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY }).end(PAGE)
  }
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'motcua-frontend-'))
  execFileSync(process.execPath, [fileURLToPath(new URL('../build.mjs', import.meta.url)), folder])
  server = createServer((request, response) => void answer(request, response)).listen(0)
  await new Promise((done) => server.once('listening', done))
  origin = `http://localhost:${server.address().port}`
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
})

after(async () => {
  await browser?.close()
  server?.closeAllConnections()
  server?.close()
  if (folder) rmSync(folder, { recursive: true, force: true })
})

beforeEach(async () => {
  seen = { saves: [], posts: [], failing: 0, data: Buffer.alloc(0), pieces: 0, clashes: 0, parts: 0 }
  page = await (await browser.newContext()).newPage()
  page.on('pageerror', (error) => assert.fail(error))
  await page.goto(origin)
})

const status = () => page.textContent('.mc-saved')
const draft = () => page.evaluate(() => sessionStorage.getItem('mc-draft:/'))
const focused = () => page.evaluate(() => document.activeElement.id)

test('a form is saved as one types, and the version comes back', async () => {
  await page.fill('#name', 'Ánh')
  await page.waitForFunction(() => /^Đã lưu lúc \d\d:\d\d$/.test(document.querySelector('.mc-saved').textContent))
  assert.equal(seen.saves[0].header, '1')
  assert.equal(seen.saves[0].fields.get('name'), 'Ánh')
  assert.equal(seen.saves[0].fields.get('idempotency_key'), 'k1')
  assert.equal(await page.inputValue('[name=version]'), '2')
  assert.equal(await page.textContent('#name-count'), 'Còn 7 ký tự')
  assert.equal(await draft(), null)
})

test('what the server has not acknowledged is kept, sent again, and survives a reload', async () => {
  seen.failing = 1
  await page.fill('#name', 'Bình')
  await page.waitForFunction(() => document.querySelector('.mc-saved').textContent.startsWith('Mất kết nối'))
  assert.match(await draft(), /Bình/)
  assert.doesNotMatch(await draft(), /k1/, 'hidden fields are not kept')
  await page.waitForFunction(() => document.querySelector('.mc-saved').textContent.startsWith('Đã lưu'))
  assert.equal(await draft(), null)
  seen.failing = 99
  await page.fill('#name', 'Cường')
  await page.waitForTimeout(200)
  await page.reload()
  assert.equal(await page.inputValue('#name'), 'Cường')
  assert.match(await status(), /khôi phục/)
})

test('a long list is found without marks and chosen by the keyboard', async () => {
  await page.fill('#place', 'da nang')
  assert.equal(await page.locator('[role=option]').count(), 1)
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  assert.equal(await page.inputValue('#place'), 'Đà Nẵng')
  assert.equal(await page.evaluate(() => document.querySelector('select').value), '1')
  await page.fill('#place', 'không có')
  assert.equal(await page.locator('[role=option]').count(), 0)
  await page.keyboard.press('Escape')
  assert.equal(await page.inputValue('#place'), 'Đà Nẵng')
})

test('a refused upload says every problem in the language of the page, each at its place', async () => {
  seen.refusal = {
    title: 'The request is not valid',
    problems: [
      { code: 'empty', at: 'file', vi: 'Tệp không có nội dung.', en: 'The file is empty.' },
      { code: 'name', at: 'file', vi: 'Tên tệp quá dài.', en: 'The name is too long.' },
      { code: 'closed', at: 'place', vi: 'Chọn nơi nộp trước.', en: 'Choose the place first.' },
    ],
  }
  await page.setInputFiles('#file', { name: 'x.pdf', mimeType: 'application/pdf', buffer: Buffer.from('x') })
  await page.waitForSelector('.mc-upload--failed [role=alert]')
  assert.deepEqual(await page.locator('.mc-upload--failed .mc-upload__problem').allTextContents(), ['Tệp không có nội dung.', 'Tên tệp quá dài.'])
  assert.equal(await page.locator('#place-said').innerText(), 'Chọn nơi nộp trước.')
  assert.equal(await page.getAttribute('#file', 'name'), 'file', 'the form takes the file itself again')
  seen.refusal = null
})

test('an upload goes on after a cut line, and the form is sent once with its address', async () => {
  const file = Buffer.alloc(3_500_000, 7)
  let open
  seen.gate = new Promise((done) => (open = done))
  await page.setInputFiles('#file', { name: 'giấy chứng sinh.pdf', mimeType: 'application/pdf', buffer: file })
  await page.click('button[name=go]')
  assert.equal(seen.posts.length, 0, 'the form waits for the upload')
  open()
  await page.waitForSelector('[name="file.upload"]', { state: 'attached', timeout: 20_000 })
  assert.equal(seen.name, 'giấy chứng sinh.pdf')
  assert.ok(seen.data.equals(file))
  assert.equal(seen.clashes, 1)
  const hash = createHash('sha256').update(file).digest('hex')
  assert.match(await page.textContent('.mc-upload__hash'), new RegExp(hash))
  await page.evaluate(() => {
    const button = document.querySelector('button[name=go]')
    button.click()
    button.click()
  })
  await page.waitForTimeout(900)
  assert.equal(seen.posts.length, 1)
  assert.equal(seen.posts[0].get('go'), '1', 'the name of the button is sent')
  assert.equal(seen.posts[0].get('file.upload'), '/up/1')
  assert.ok(!seen.posts[0].has('file'))
})

test('rows are walked by the keyboard, and single keys can be switched off', async () => {
  await page.keyboard.press('j')
  assert.equal(await focused(), 'a')
  await page.keyboard.press('ArrowDown')
  assert.equal(await focused(), 'b')
  await page.keyboard.press('k')
  assert.equal(await focused(), 'a')
  await page.keyboard.press('?')
  assert.ok(await page.isVisible('dialog'))
  await page.uncheck('dialog input')
  await page.keyboard.press('Escape')
  await page.keyboard.press('/')
  assert.notEqual(await focused(), 'search')
  await page.evaluate(() => localStorage.clear())
  await page.keyboard.press('/')
  assert.equal(await focused(), 'search')
  await page.keyboard.type('jk?')
  assert.equal(await page.inputValue('#search'), 'jk?')
})

test('a part of the page keeps itself current, but not under the hands of the reader', async () => {
  const shown = () => page.evaluate(() => Number(document.querySelector('#live b').textContent))
  await page.waitForFunction(() => Number(document.querySelector('#live b').textContent) >= 2)
  await page.focus('#held')
  await page.waitForTimeout(300)
  const held = await shown()
  await page.waitForTimeout(700)
  assert.equal(await shown(), held, 'what is in use stays')
  await page.evaluate(() => document.activeElement.blur())
  await page.waitForFunction((held) => Number(document.querySelector('#live b').textContent) > held, held)
  // What is opened stays open while the figures change, and the keyboard stays where it is.
  await page.focus('#live details:last-of-type summary')
  await page.keyboard.press('Enter')
  const opened = await shown()
  await page.waitForFunction((opened) => Number(document.querySelector('#live b').textContent) > opened + 1, opened)
  const open = () => page.evaluate(() => [...document.querySelectorAll('#live details')].map((details) => details.open))
  assert.deepEqual(await open(), [false, true])
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'hai')
  await page.keyboard.press('Enter')
  await page.waitForFunction((opened) => Number(document.querySelector('#live b').textContent) > opened + 1, await shown())
  assert.deepEqual(await open(), [false, false])
  await page.click('text=Dừng tự cập nhật')
  await page.waitForTimeout(300)
  const stopped = await shown()
  await page.waitForTimeout(700)
  assert.equal(await shown(), stopped, 'the reader has stopped it')
  seen.silent = true
  await page.click('text=Tiếp tục tự cập nhật')
  await page.waitForSelector('text=Chưa cập nhật được')
  seen.silent = false
  await page.waitForFunction((stopped) => Number(document.querySelector('#live b').textContent) > stopped, stopped)
})

test('a passkey is registered', async () => {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  const options = {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true,
  }
  await devtools.send('WebAuthn.addVirtualAuthenticator', { options })
  await page.click('[data-passkey] button')
  await page.waitForURL('**/done')
  assert.equal(seen.credential.type, 'public-key')
  assert.match(seen.credential.response.attestationObject, /^[\w-]+$/)
})
