const english = document.documentElement.lang === 'en'

/** Picks the text of the page's language. */
export const t = (vi: string, en: string): string => (english ? en : vi)

/** Makes an element with a class and a text. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, name = '', text = ''): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  if (name) element.className = name
  if (text) element.textContent = text
  return element
}

/** Legal time, as `10:42`. */
export const clock = (): string => new Date().toLocaleTimeString('vi-VN', { hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Ho_Chi_Minh' })

export const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))
