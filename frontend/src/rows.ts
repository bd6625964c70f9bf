import { make, t } from './words'

const OFF = 'mc-keys-off'

/** Moves through a table by the keyboard. Single keys can be switched off (WCAG 2.1.4); the arrow keys work inside the table only. */
export function rows(table: HTMLTableElement): void {
  const list = () => [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => row.querySelector('a[href]'))
  const dialog = help()
  const more = make('button', 'mc-button mc-button--plain mc-keys', t('Phím tắt', 'Keyboard shortcuts'))
  more.type = 'button'
  more.addEventListener('click', () => dialog.showModal())
  table.after(more)

  function move(step: number): void {
    const all = list()
    const here = all.findIndex((row) => row.contains(document.activeElement))
    const next = all[Math.max(0, Math.min(all.length - 1, here < 0 && step < 0 ? 0 : here + step))]
    next?.querySelector<HTMLElement>('a[href]')?.focus()
    next?.scrollIntoView({ block: 'nearest' })
  }

  table.addEventListener('focusin', () => {
    for (const row of list()) row.toggleAttribute('data-here', row.contains(document.activeElement))
  })
  table.addEventListener('focusout', () => list().forEach((row) => row.removeAttribute('data-here')))
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || dialog.open) return
    const target = event.target as Element
    if (target.closest('input:not([type="checkbox"]):not([type="radio"]), textarea, select, [contenteditable]')) return
    const arrows = table.contains(target)
    const letters = localStorage.getItem(OFF) === null
    if ((letters && event.key === 'j') || (arrows && event.key === 'ArrowDown')) move(1)
    else if ((letters && event.key === 'k') || (arrows && event.key === 'ArrowUp')) move(-1)
    else if (letters && event.key === '/') document.querySelector<HTMLElement>('[data-search]')?.focus()
    else if (letters && event.key === '?') dialog.showModal()
    else return
    event.preventDefault()
  })
}

function help(): HTMLDialogElement {
  const dialog = make('dialog', 'mc-help')
  const title = make('h2', '', t('Phím tắt', 'Keyboard shortcuts'))
  title.id = 'mc-help-title'
  dialog.setAttribute('aria-labelledby', title.id)
  const keys = make('dl')
  const lines: [string, string][] = [
    ['j  ↓', t('Dòng sau', 'Next row')],
    ['k  ↑', t('Dòng trước', 'Previous row')],
    ['Enter', t('Mở dòng đang chọn', 'Open the row')],
    ['/', t('Đến ô tìm kiếm', 'Go to the search box')],
    ['?', t('Mở bảng này', 'Show this help')],
  ]
  for (const [key, text] of lines) {
    const name = make('dt')
    name.append(...key.split('  ').flatMap((k) => [make('kbd', '', k), ' ']))
    keys.append(name, make('dd', '', text))
  }
  const label = make('label', 'mc-option mc-option--checkbox')
  const box = make('input', 'mc-option__input')
  box.type = 'checkbox'
  box.checked = localStorage.getItem(OFF) === null
  box.addEventListener('change', () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, '1')))
  label.append(box, make('span', 'mc-option__label', t('Dùng phím tắt một chữ', 'Use single-key shortcuts')))
  const close = make('button', 'mc-button', t('Đóng', 'Close'))
  close.type = 'button'
  close.addEventListener('click', () => dialog.close())
  dialog.append(title, keys, label, close)
  document.body.append(dialog)
  return dialog
}
