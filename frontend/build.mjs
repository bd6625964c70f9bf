// Bundles the scripts and styles, copies the fonts, compresses, and writes two lists for Rust: assets.rs and fonts.rs.
// usage: node build.mjs OUT_DIR
import { build } from 'esbuild'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const here = dirname(fileURLToPath(import.meta.url))
const out = process.argv[2]
if (!out) throw new Error('usage: node build.mjs OUT_DIR')
const assets = join(out, 'assets')
const fonts = join(out, 'fonts')
for (const folder of [assets, fonts]) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
}

await build({
  absWorkingDir: here,
  entryPoints: { app: 'src/app.ts' },
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2021'],
  outdir: assets,
  logLevel: 'warning',
})
await build({
  absWorkingDir: here,
  entryPoints: { app: 'src/app.css' },
  bundle: true,
  minify: true,
  target: ['chrome100', 'firefox100', 'safari15.4'],
  outdir: assets,
  assetNames: '[name].[hash]',
  publicPath: '/assets',
  loader: { '.woff2': 'file' },
  logLevel: 'warning',
})
cpSync(join(here, 'src', 'mark.svg'), join(assets, 'mark.svg'))

const tinos = join(here, 'node_modules', '@expo-google-fonts', 'tinos')
for (const face of ['400Regular', '400Regular_Italic', '700Bold', '700Bold_Italic']) {
  cpSync(join(tinos, face, `Tinos_${face}.ttf`), join(fonts, `Tinos_${face}.ttf`))
}

const mimes = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}
const entries = []
const sizes = []
for (const file of readdirSync(assets).sort()) {
  const bytes = readFileSync(join(assets, file))
  const ext = extname(file)
  // A font carries its hash already, because the style sheet names it.
  const hashed = ext === '.woff2'
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  const served = hashed ? file : `${basename(file, ext)}.${hash}${ext}`
  let packed = 'None, None'
  if (!hashed) {
    const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
    writeFileSync(join(assets, `${file}.br`), br)
    writeFileSync(join(assets, `${file}.gz`), gzipSync(bytes, { level: 9 }))
    packed = `Some(include_bytes!("assets/${file}.br")), Some(include_bytes!("assets/${file}.gz"))`
    sizes.push(`${file} ${bytes.length} B, br ${br.length} B`)
  }
  entries.push(
    `Asset::new(${JSON.stringify(file)}, ${JSON.stringify(served)}, ${JSON.stringify(mimes[ext])}, include_bytes!("assets/${file}"), ${packed}),`,
  )
}
writeFileSync(join(out, 'assets.rs'), `[\n${entries.join('\n')}\n]\n`)
writeFileSync(
  join(out, 'fonts.rs'),
  `[\n${readdirSync(fonts).sort().map((file) => `include_bytes!("fonts/${file}").as_slice(),`).join('\n')}\n]\n`,
)
console.log(sizes.join('\n'))
