// Checks HTML files with html-validate and the style sheets for addresses outside.  usage: node check.mjs [FILE.html …]
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FileSystemConfigLoader, HtmlValidate, formatterFactory } from 'html-validate'

const here = dirname(fileURLToPath(import.meta.url))
let bad = 0
for (const file of readdirSync(join(here, 'src')).filter((name) => name.endsWith('.css'))) {
  const css = readFileSync(join(here, 'src', file), 'utf8')
  for (const [, url] of css.matchAll(/url\(\s*["']?([^"')]+)/g)) {
    if (/^(https?:)?\/\//.test(url)) {
      console.error(`${file}: ${url}`)
      bad += 1
    }
  }
}
const files = process.argv.slice(2)
if (files.length) {
  const validate = new HtmlValidate(
    new FileSystemConfigLoader({
      extends: ['html-validate:standard', 'html-validate:a11y'],
      rules: {
        // Templates leave blanks and blank lines where a part is not there.
        'no-trailing-whitespace': 'off',
        // Names come from data: "child.name" is a good id.
        'valid-id': ['error', { relaxed: true }],
        // A list without its dots loses its role in Safari unless it is said.
        'no-redundant-role': 'off',
        // The icon beside a label is drawn inline on purpose.
        'svg-focusable': 'off',
        'long-title': 'off',
        'doctype-style': 'off',
        // `hidden` until a script says otherwise.
        'hidden-focusable': 'off',
      },
    }),
  )
  const report = await validate.validateMultipleFiles(files)
  console.log(formatterFactory('text')(report.results))
  bad += report.errorCount
}
process.exit(bad ? 1 : 0)
