import { clock, make, t } from './words'

/**
 * Keeps a part of the page current: asks the server for it anew every so many seconds, while the page is seen. The reader can hold it.
 * What is being read with the keyboard or marked is left as it is until that ends. What the reader has opened stays open: `details` are
 * known by their ids.
 */
export function live(part: HTMLElement): void {
  const url = part.dataset.live
  if (!url) return
  const every = 1000 * Number(part.dataset.liveSeconds ?? 5)
  let held = false
  const bar = make('p', 'mc-live')
  const hold = make('button', 'mc-button mc-button--secondary')
  hold.type = 'button'
  const status = make('span', 'mc-small mc-muted')
  const say = (text: string) => (status.textContent = text)
  const word = () => (hold.textContent = held ? t('Tiếp tục tự cập nhật', 'Go on updating') : t('Dừng tự cập nhật', 'Stop updating'))
  hold.addEventListener('click', () => {
    held = !held
    word()
    if (held) say(t(`Đang dừng ở số liệu lúc ${clock()}`, `Stopped at ${clock()}`))
    else void renew()
  })
  word()
  bar.append(hold, ' ', status)
  part.before(bar)

  const inUse = () => {
    const marked = getSelection()
    const focus = document.activeElement
    const reading = focus && part.contains(focus) && focus.tagName !== 'SUMMARY'
    return reading || (marked && !marked.isCollapsed && part.contains(marked.anchorNode))
  }
  async function renew(): Promise<void> {
    try {
      const answer = await fetch(url!, { headers: { accept: 'text/html' }, cache: 'no-store' })
      if (!answer.ok) throw new Error(String(answer.status))
      const text = await answer.text()
      if (held || inUse()) return
      keepOpened(part, () => (part.innerHTML = text))
      say(t('Tự cập nhật', 'Updates itself'))
    } catch {
      say(t(`Chưa cập nhật được; số liệu trước ${clock()}`, `Could not be updated; figures from before ${clock()}`))
    }
  }
  const turn = async () => {
    if (!held && !document.hidden && !inUse()) await renew()
    setTimeout(turn, every)
  }
  setTimeout(turn, every)
}

/** Changes a part so that what was open, and the `summary` where the keyboard is, are as before. */
function keepOpened(part: HTMLElement, change: () => void): void {
  const opened = new Map([...part.querySelectorAll<HTMLDetailsElement>('details[id]')].map((details) => [details.id, details.open]))
  const focus = document.activeElement
  const at = focus && part.contains(focus) ? focus.closest('details')?.id : undefined
  change()
  for (const details of part.querySelectorAll<HTMLDetailsElement>('details[id]')) {
    details.open = opened.get(details.id) ?? details.open
    if (at && details.id === at) details.querySelector('summary')?.focus({ preventScroll: true })
  }
}
