import { statusLine } from './small'
import { clock, t } from './words'

type Pairs = [string, string][]

/** Sends the form's fields in the background; until the server has them, the browser keeps a copy for this tab. */
export function autosave(form: HTMLFormElement): void {
  const url = form.dataset.autosave
  if (!url) return
  const key = `mc-draft:${location.pathname}`
  const say = statusLine(form)
  let timer = 0
  let tries = 0
  let sending = false
  let stopped = false
  let dirty = false

  const pairs = (): Pairs => [...new FormData(form)].filter((p): p is [string, string] => typeof p[1] === 'string')
  const kept = (): Pairs => {
    const secret = new Set([...form.querySelectorAll<HTMLInputElement>('[type="password"],[type="hidden"]')].map((i) => i.name))
    return pairs().filter(([name]) => !secret.has(name))
  }
  const keep = (value: Pairs | null) => {
    try {
      if (value) sessionStorage.setItem(key, JSON.stringify(value))
      else sessionStorage.removeItem(key)
    } catch {
      // A full or forbidden store: the server still has what it acknowledged.
    }
  }
  const later = (ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => void send(), ms)
  }

  async function send(): Promise<void> {
    if (sending || stopped || !dirty) return
    sending = true
    dirty = false
    say(t('Đang lưu…', 'Saving…'))
    try {
      const body = new URLSearchParams(pairs())
      const answer = await fetch(url!, { method: 'POST', body, headers: { 'X-Autosave': '1', Accept: 'application/json' } })
      if (answer.ok && !answer.redirected) {
        tries = 0
        if (!dirty) keep(null)
        if (answer.headers.get('content-type')?.includes('json')) update(await answer.json())
        say(t(`Đã lưu lúc ${clock()}`, `Saved at ${clock()}`))
      } else if (answer.status >= 500 || answer.status === 429) {
        throw new Error(String(answer.status))
      } else {
        stopped = answer.redirected || [401, 403, 404, 409, 412].includes(answer.status)
        say(
          answer.redirected || answer.status === 401
            ? t('Phiên đăng nhập đã hết. Nội dung được giữ trong trình duyệt này; vui lòng đăng nhập lại.', 'You were signed out. What you wrote is kept in this browser; please sign in again.')
            : answer.status === 409 || answer.status === 412
              ? t('Hồ sơ đã được sửa ở nơi khác. Vui lòng tải lại trang.', 'This was changed elsewhere. Please reload the page.')
              : t('Chưa tự lưu được. Vui lòng bấm nút lưu.', 'Not saved by itself. Please use the save button.'),
        )
      }
    } catch {
      dirty = true
      const pause = Math.min(60, 2 ** ++tries)
      say(t(`Mất kết nối. Nội dung được giữ trong trình duyệt này và sẽ lưu lại sau ${pause} giây.`, `No connection. What you wrote is kept in this browser; trying again in ${pause} seconds.`))
      later(pause * 1000)
    } finally {
      sending = false
      if (dirty && !tries) later(1500)
    }
  }

  /** Takes over what the server says about hidden fields, such as the version of the draft. */
  function update(answer: { fields?: Record<string, unknown> }): void {
    for (const [name, value] of Object.entries(answer.fields ?? {})) {
      const field = form.elements.namedItem(name)
      if (field instanceof HTMLInputElement && field.type === 'hidden') field.value = String(value)
    }
  }

  function restore(saved: Pairs): void {
    const now = JSON.stringify(kept())
    if (JSON.stringify(saved) === now) return
    const names = new Set(saved.map(([name]) => name))
    for (const field of [...form.elements]) {
      if (field instanceof HTMLInputElement && ['checkbox', 'radio'].includes(field.type)) {
        field.checked = saved.some(([name, value]) => name === field.name && value === field.value)
      } else if (
        (field instanceof HTMLInputElement && !['password', 'hidden', 'file'].includes(field.type)) ||
        field instanceof HTMLTextAreaElement ||
        field instanceof HTMLSelectElement
      ) {
        if (names.has(field.name)) field.value = saved.find(([name]) => name === field.name)![1]
      }
      field.dispatchEvent(new Event('mc-restored'))
    }
    say(t('Đã khôi phục nội dung chưa kịp lưu.', 'What had not been saved was restored.'))
    changed()
  }

  function changed(): void {
    dirty = true
    keep(kept())
    if (!tries) later(1500)
  }

  form.addEventListener('input', changed)
  form.addEventListener('change', changed)
  form.addEventListener('submit', (event) => {
    if (event.defaultPrevented) return
    stopped = true
    clearTimeout(timer)
    keep(null)
  })
  addEventListener('online', () => later(0))
  addEventListener('pageshow', () => (stopped = false))
  try {
    const saved = sessionStorage.getItem(key)
    // A page that shows problems comes from a submit: what it shows is newer.
    if (saved && !document.querySelector('.mc-error-summary')) restore(JSON.parse(saved) as Pairs)
  } catch {
    keep(null)
  }
}
