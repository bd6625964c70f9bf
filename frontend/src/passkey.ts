import { problems, say, type Refusal } from './words'

type Json = Record<string, unknown>

const decode = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))

const encode = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')

/** A button that signs in with a passkey, or registers one. */
export function passkey(box: HTMLElement): void {
  const button = box.querySelector('button')
  const error = box.querySelector<HTMLElement>('[role="alert"]')
  const { begin, finish } = box.dataset
  if (!window.PublicKeyCredential || !button || !begin || !finish) return
  box.hidden = false
  button.addEventListener('click', async () => {
    button.disabled = true
    if (error) error.hidden = true
    try {
      const form = box.closest('form')
      const options = await post(begin, form ? Object.fromEntries(new FormData(form)) : {})
      const credential = box.dataset.passkey === 'register' ? await register(options) : await signIn(options)
      const done = await post(finish, credential)
      if (typeof done.location === 'string') location.assign(done.location)
      else location.reload()
    } catch (problem) {
      if (error) {
        error.textContent = problem instanceof Told ? problem.message : (box.dataset.failed ?? '')
        error.hidden = false
      }
      button.disabled = false
    }
  })
}

class Told extends Error {}

async function post(url: string, body: Json): Promise<Json> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(body),
  })
  const json: Json = answer.status === 204 ? {} : ((await answer.json()) as Json)
  if (answer.ok) return json
  const said = problems(json as Refusal).map(say).join(' ')
  throw said ? new Told(said) : new Error(String(answer.status))
}

const list = (credentials: unknown): PublicKeyCredentialDescriptor[] =>
  ((credentials ?? []) as Json[]).map((c) => ({ ...c, id: decode(c.id as string) }) as unknown as PublicKeyCredentialDescriptor)

async function register(answer: Json): Promise<Json> {
  const options = (answer.publicKey ?? answer) as Json
  const user = options.user as Json
  const made = (await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: decode(options.challenge as string),
      user: { ...user, id: decode(user.id as string) },
      excludeCredentials: list(options.excludeCredentials),
    } as unknown as PublicKeyCredentialCreationOptions,
  })) as PublicKeyCredential
  const response = made.response as AuthenticatorAttestationResponse
  return {
    ...common(made),
    response: {
      clientDataJSON: encode(response.clientDataJSON),
      attestationObject: encode(response.attestationObject),
      transports: response.getTransports?.() ?? [],
    },
  }
}

async function signIn(answer: Json): Promise<Json> {
  const options = (answer.publicKey ?? answer) as Json
  const got = (await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: decode(options.challenge as string),
      allowCredentials: list(options.allowCredentials),
    } as unknown as PublicKeyCredentialRequestOptions,
  })) as PublicKeyCredential
  const response = got.response as AuthenticatorAssertionResponse
  return {
    ...common(got),
    response: {
      clientDataJSON: encode(response.clientDataJSON),
      authenticatorData: encode(response.authenticatorData),
      signature: encode(response.signature),
      userHandle: response.userHandle ? encode(response.userHandle) : null,
    },
  }
}

const common = (credential: PublicKeyCredential): Json => ({
  id: credential.id,
  rawId: encode(credential.rawId),
  type: credential.type,
  extensions: credential.getClientExtensionResults(),
})
