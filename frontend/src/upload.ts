import { make, problems, say, t, wait, type Problem, type Refusal } from './words'

const CHUNK = 1024 * 1024
const HASHED = 256 * 1024 * 1024

/** Sends files in pieces that survive a lost connection, and shows progress and the SHA-256 of what was sent. */
export function upload(input: HTMLInputElement): void {
  const url = input.dataset.uploadUrl
  const form = input.form
  if (!url || !form) return
  const name = input.name
  let running = 0

  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])]
    if (!input.multiple) input.parentElement?.querySelectorAll('.mc-upload').forEach((row) => row.remove())
    for (const file of files) void one(file)
    // The pieces carry the file; the form carries only its address.
    if (files.length) input.removeAttribute('name')
  })

  async function one(file: File): Promise<void> {
    const row = make('div', 'mc-upload')
    const state = make('span')
    state.setAttribute('role', 'status')
    const bar = make('progress', 'mc-upload__bar')
    bar.max = Math.max(file.size, 1)
    bar.setAttribute('aria-label', file.name)
    const hash = make('span', 'mc-upload__hash')
    row.append(make('span', 'mc-upload__name', file.name), state, bar, hash)
    input.after(row)
    running += 1
    form!.dataset.busy = '1'
    state.textContent = t('Đang tải lên…', 'Uploading…')
    try {
      const [address, theirs] = await send(file, (sent) => (bar.value = sent))
      const ours = await digest(file)
      if (ours && theirs && ours !== theirs) throw new Refused([DAMAGED])
      state.textContent = t('Đã tải lên', 'Uploaded')
      if (ours ?? theirs) hash.textContent = `SHA-256 ${ours ?? theirs}`
      const hidden = make('input')
      hidden.type = 'hidden'
      hidden.name = `${name}.upload`
      hidden.value = address
      row.append(hidden)
      form!.dispatchEvent(new Event('change'))
    } catch (error) {
      row.classList.add('mc-upload--failed')
      state.textContent = ''
      bar.remove()
      hash.className = 'mc-error'
      hash.setAttribute('role', 'alert')
      const wrong = error instanceof Refused ? error.problems.filter((p) => !elsewhere(p)) : [FAILED]
      hash.replaceChildren(...wrong.map((p) => make('span', 'mc-upload__problem', say(p))))
      // Without a single file sent in pieces, the form takes the file itself again.
      if (!form!.querySelector(`input[name="${CSS.escape(name)}.upload"]`)) input.name = name
    } finally {
      running -= 1
      if (!running) delete form!.dataset.busy
    }
  }

  /** A problem of another field of the form stands at that field. */
  function elsewhere(problem: Problem): boolean {
    const found = problem.at ? form!.elements.namedItem(problem.at) : null
    const field = found instanceof RadioNodeList ? found[0] : found
    if (!(field instanceof HTMLElement) || field === input || (field instanceof HTMLInputElement && field.type === 'hidden')) return false
    const id = `${problem.at}-said`
    document.getElementById(id)?.remove()
    const line = make('p', 'mc-error', say(problem))
    line.id = id
    line.setAttribute('role', 'alert')
    ;(field.closest('.mc-combo, .mc-options, .mc-date') ?? field).before(line)
    return true
  }

  async function send(file: File, progress: (sent: number) => void): Promise<[string, string | null]> {
    const key = `mc-upload:${url}:${file.name}:${file.size}:${file.lastModified}`
    let address = sessionStorage.getItem(key)
    let offset = address ? await ask(address) : -1
    if (offset < 0 || !address) {
      const created = await retry(() =>
        fetch(url!, {
          method: 'POST',
          headers: {
            'Upload-Length': String(file.size),
            'Upload-Name': encodeURIComponent(file.name),
            'Upload-Type': file.type,
            'Content-Type': 'application/offset+octet-stream',
          },
        }),
      )
      if (!created.ok) throw await refusal(created)
      address = created.headers.get('location') ?? ''
      offset = Number(created.headers.get('upload-offset') ?? 0)
      sessionStorage.setItem(key, address)
    }
    let theirs: string | null = null
    let clashes = 0
    while (offset < file.size || theirs === null) {
      const at = offset
      const answer = await retry(() =>
        fetch(address!, {
          method: 'PATCH',
          headers: { 'Upload-Offset': String(at), 'Content-Type': 'application/offset+octet-stream' },
          body: file.slice(at, at + CHUNK),
        }),
      )
      if (answer.status === 409 && clashes++ < 5) {
        offset = await ask(address)
        if (offset < 0) throw new Error('gone')
        if (offset >= file.size) break
        continue
      }
      if (!answer.ok) {
        sessionStorage.removeItem(key)
        throw await refusal(answer)
      }
      offset = Number(answer.headers.get('upload-offset') ?? Math.min(at + CHUNK, file.size))
      progress(offset)
      if (offset >= file.size) {
        theirs = answer.headers.get('upload-sha256')
        break
      }
    }
    sessionStorage.removeItem(key)
    return [address, theirs]
  }
}

const FAILED: Problem = { vi: 'Chưa tải lên được. Vui lòng chọn lại tệp.', en: 'Not uploaded. Please choose the file again.' }
const DAMAGED: Problem = { vi: 'Tệp bị hỏng khi truyền. Vui lòng tải lại.', en: 'The file was damaged on the way. Please upload it again.' }

class Refused extends Error {
  constructor(readonly problems: Problem[]) {
    super('refused')
  }
}

/** How far an upload is; -1 when it is no longer there. */
async function ask(address: string): Promise<number> {
  const answer = await retry(() => fetch(address, { method: 'HEAD' }))
  const offset = answer.headers.get('upload-offset')
  return answer.ok && offset !== null ? Number(offset) : -1
}

/** Tries again after a lost connection or a 5xx, with longer and longer pauses. */
async function retry(call: () => Promise<Response>): Promise<Response> {
  for (let n = 0; ; n++) {
    try {
      const answer = await call()
      if (answer.status < 500 || n >= 6) return answer
    } catch (error) {
      if (n >= 6) throw error
    }
    await wait(Math.min(30, 2 ** n) * 1000)
  }
}

/** What the server says is wrong, from problem details. */
async function refusal(answer: Response): Promise<Error> {
  try {
    const said = problems((await answer.json()) as Refusal)
    if (said.length) return new Refused(said)
  } catch {
    // Not problem details: the general message serves.
  }
  return new Error(String(answer.status))
}

async function digest(file: File): Promise<string | null> {
  if (!crypto.subtle || file.size > HASHED) return null
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()))
  return [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')
}
