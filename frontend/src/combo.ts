import { make, t } from './words'

const MOST = 60

/** Folds marks away, so that "da nang" finds "Đà Nẵng". */
const fold = (text: string): string =>
  text.normalize('NFD').replace(/\p{M}/gu, '').replace(/đ/gi, 'd').toLowerCase().trim()

/** Turns a long select into a box that filters while one types (ARIA combobox with a list). The select stays and is what is sent. */
export function combo(select: HTMLSelectElement): void {
  const options = [...select.options].filter((o) => o.value).map((o) => ({ value: o.value, text: o.text, key: fold(o.text) }))
  const id = select.id
  const box = make('div', 'mc-combo')
  const input = make('input', select.className.replace('mc-select', '').trim())
  const list = make('ul', 'mc-combo__list')
  input.type = 'text'
  input.id = id
  input.autocomplete = 'off'
  input.spellcheck = false
  for (const name of ['aria-describedby', 'aria-invalid']) {
    const value = select.getAttribute(name)
    if (value) input.setAttribute(name, value)
  }
  input.disabled = select.disabled
  input.setAttribute('role', 'combobox')
  input.setAttribute('aria-autocomplete', 'list')
  input.setAttribute('aria-expanded', 'false')
  input.setAttribute('aria-controls', `${id}-list`)
  list.id = `${id}-list`
  list.setAttribute('role', 'listbox')
  list.setAttribute('aria-label', document.querySelector(`label[for="${CSS.escape(id)}"]`)?.textContent ?? '')
  list.hidden = true
  select.id = `${id}-select`
  select.hidden = true
  select.before(box)
  box.append(input, list)

  let active = -1
  const chosen = () => (select.value ? (select.selectedOptions[0]?.text ?? '') : '')
  const items = () => [...list.querySelectorAll<HTMLLIElement>('[role="option"]')]
  input.value = chosen()

  function close(): void {
    list.hidden = true
    active = -1
    input.setAttribute('aria-expanded', 'false')
    input.removeAttribute('aria-activedescendant')
  }

  function open(all: boolean): void {
    const words = all ? [] : fold(input.value).split(/\s+/).filter(Boolean)
    const found = options.filter((o) => words.every((word) => o.key.includes(word)))
    list.replaceChildren(
      ...found.slice(0, MOST).map((option, n) => {
        const item = make('li', '', option.text)
        item.id = `${id}-option-${n}`
        item.setAttribute('role', 'option')
        item.setAttribute('aria-selected', 'false')
        item.dataset.value = option.value
        return item
      }),
    )
    if (found.length === 0 || found.length > MOST) {
      const more = make('li', 'mc-combo__none', found.length ? t('Gõ thêm để thu hẹp danh sách', 'Type more to narrow the list') : t('Không tìm thấy', 'Nothing found'))
      more.setAttribute('role', 'presentation')
      list.append(more)
    }
    active = -1
    list.hidden = false
    input.setAttribute('aria-expanded', 'true')
    input.removeAttribute('aria-activedescendant')
  }

  function move(to: number): void {
    const all = items()
    if (!all.length) return
    active = (to + all.length) % all.length
    all.forEach((item, n) => item.setAttribute('aria-selected', String(n === active)))
    const here = all[active]!
    here.scrollIntoView({ block: 'nearest' })
    input.setAttribute('aria-activedescendant', here.id)
  }

  function choose(value: string): void {
    const changed = select.value !== value
    select.value = value
    input.value = chosen()
    close()
    if (changed) select.dispatchEvent(new Event('change', { bubbles: true }))
  }

  input.addEventListener('input', () => open(false))
  input.addEventListener('click', () => open(true))
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      if (list.hidden) open(true)
      move(event.key === 'ArrowDown' ? active + 1 : active < 0 ? -1 : active - 1)
    } else if (event.key === 'Enter' && !list.hidden) {
      const item = items()[active] ?? (items().length === 1 ? items()[0] : undefined)
      if (item) {
        event.preventDefault()
        choose(item.dataset.value ?? '')
      }
    } else if (event.key === 'Escape' && !list.hidden) {
      input.value = chosen()
      close()
    }
  })
  // The list must not take the focus from the box before the click has counted.
  list.addEventListener('mousedown', (event) => event.preventDefault())
  list.addEventListener('click', (event) => {
    const item = (event.target as Element).closest<HTMLLIElement>('[role="option"]')
    if (item) choose(item.dataset.value ?? '')
  })
  input.addEventListener('blur', () => {
    const text = fold(input.value)
    const same = options.find((o) => o.key === text)
    if (!text) choose('')
    else if (same) choose(same.value)
    else {
      input.value = chosen()
      close()
    }
  })
  select.addEventListener('mc-restored', () => (input.value = chosen()))
}
