const english = document.documentElement.lang === 'en'

/** Picks the text of the page's language. */
export const t = (vi: string, en: string): string => (english ? en : vi)

/** One thing that is wrong: where (the name of a field, or nothing), and what to do, in both languages. */
export type Problem = { at?: string; vi?: string; en?: string }

/** Problem details, as the API says no. */
export type Refusal = { problems?: Problem[]; title?: string; title_vi?: string }

export const say = (p: Problem): string => t(p.vi ?? '', p.en || (p.vi ?? ''))

/** What is wrong, all of it; the title alone where the server names no problem. */
export function problems(body: Refusal): Problem[] {
  const all = (body.problems ?? []).filter((p) => say(p))
  return all.length || !body.title ? all : [{ vi: body.title_vi ?? body.title, en: body.title }]
}

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
