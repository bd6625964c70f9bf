import { make, t } from './words'

/** Stops the second of two submits; the server would ignore it by its key, the reader need not wonder. */
export function guard(form: HTMLFormElement): void {
  let sent = 0
  const buttons = () => form.querySelectorAll<HTMLButtonElement>('button[type="submit"]')
  form.addEventListener('submit', (event) => {
    if (form.dataset.busy || Date.now() - sent < 10_000) {
      event.preventDefault()
      return
    }
    sent = Date.now()
    // Not `disabled`: the button's own name and value have to be sent.
    buttons().forEach((b) => b.setAttribute('aria-disabled', 'true'))
    setTimeout(free, 10_000)
  })
  const free = () => {
    sent = 0
    buttons().forEach((b) => b.removeAttribute('aria-disabled'))
  }
  addEventListener('pageshow', free)
}

/** How many characters are left. */
export function count(field: HTMLInputElement | HTMLTextAreaElement): void {
  const line = document.getElementById(`${field.id}-count`)
  if (!line) return
  const most = Number(field.dataset.count)
  const show = () => {
    const left = most - [...field.value].length
    line.textContent =
      left >= 0 ? t(`Còn ${left} ký tự`, `${left} characters left`) : t(`Quá ${-left} ký tự`, `${-left} characters too many`)
    line.classList.toggle('mc-count--over', left < 0)
  }
  let later = 0
  field.addEventListener('input', () => {
    line.setAttribute('aria-live', 'polite')
    clearTimeout(later)
    later = setTimeout(show, 400)
  })
  if (field.value) show()
}

export function copy(button: HTMLButtonElement): void {
  if (!navigator.clipboard) return
  button.hidden = false
  const label = button.querySelector('span') ?? button
  const before = label.textContent
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.dataset.copy ?? '')
    label.setAttribute('aria-live', 'polite')
    label.textContent = button.dataset.done ?? before
    setTimeout(() => (label.textContent = before), 2500)
  })
}

export function print(button: HTMLButtonElement): void {
  button.hidden = false
  button.addEventListener('click', () => window.print())
}

/** The user's menu closes on Escape and on a click elsewhere. */
export function menus(): void {
  const menu = document.querySelector<HTMLDetailsElement>('.mc-user')
  if (!menu) return
  document.addEventListener('click', (event) => {
    if (!menu.contains(event.target as Node)) menu.open = false
  })
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return
    menu.open = false
    menu.querySelector('summary')?.focus()
  })
}

/** The error summary is read first. */
export function focusFirst(): void {
  document.querySelector<HTMLElement>('[data-focus]')?.focus()
}

/** A line under a form that says how things stand. */
export function statusLine(form: HTMLElement): (text: string) => void {
  const line = make('p', 'mc-saved')
  line.setAttribute('role', 'status')
  form.append(line)
  return (text) => {
    line.textContent = text
  }
}
