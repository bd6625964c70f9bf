// Pages work without this file. Each part looks for its own attribute and leaves alone what it does not know.
import { autosave } from './autosave'
import { combo } from './combo'
import { live } from './live'
import { passkey } from './passkey'
import { rows } from './rows'
import { copy, count, focusFirst, guard, menus, print } from './small'
import { upload } from './upload'

const each = <E extends Element>(selector: string, start: (element: E) => void): void =>
  document.querySelectorAll<E>(selector).forEach(start)

each<HTMLSelectElement>('select[data-filter]', combo)
each<HTMLInputElement>('input[data-upload-url]', upload)
each<HTMLFormElement>('form[method="post"]', guard)
each<HTMLFormElement>('form[data-autosave]', autosave)
each<HTMLInputElement | HTMLTextAreaElement>('[data-count]', count)
each<HTMLButtonElement>('[data-copy]', copy)
each<HTMLButtonElement>('[data-print]', print)
each<HTMLElement>('[data-passkey]', passkey)
each<HTMLTableElement>('table[data-rows]', rows)
each<HTMLElement>('[data-live]', live)
menus()
focusFirst()
