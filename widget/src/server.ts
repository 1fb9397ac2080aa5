// Requests to the chat's HTTP face, with the visitor's token.
import type { Memory } from './memory'

export interface ChatFile {
  id: string
  name: string
  mime: string
  size: number | null
  ready: boolean
}

export interface Entry {
  id: string
  seq: number
  outgoing: boolean
  at: string
  author: string
  text: string
  status: string
  client_id: string | null
  files: ChatFile[]
  edited: boolean
  deleted: boolean
}

export interface Config {
  title: string
  greeting: string
  offline: string
  ask: ('name' | 'email' | 'phone')[]
  largest_file: number
  longest_text: number
  online: boolean
}

export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly retryAfter: number,
  ) {
    super(`refused: ${status}`)
  }
}

export class Server {
  constructor(
    readonly root: string,
    private readonly memory: Memory,
    private readonly identity: string | null,
  ) {}

  get token(): string | null {
    return this.memory.get<string | null>('token', null)
  }

  forget(token: string): void {
    if (this.token === token) this.memory.drop('token')
  }

  // The token of this browser, made at the first need; of two tabs the first one's holds.
  async introduced(): Promise<string> {
    const make = async (): Promise<string> => {
      if (this.token) return this.token
      const body = JSON.stringify(this.identity ? { identity: this.identity } : {})
      const answer = (await this.plain('/session', { method: 'POST', body })) as { token: string }
      this.memory.set('token', answer.token)
      return answer.token
    }
    return navigator.locks ? navigator.locks.request(`${this.root} token`, make) : make()
  }

  config(): Promise<Config> {
    return this.plain('/config', {}) as Promise<Config>
  }

  async ask(path: string, options: RequestInit = {}): Promise<unknown> {
    return (await this.answer(path, options)).json()
  }

  async file(id: string): Promise<Blob> {
    return (await this.answer(`/files/${id}`, {})).blob()
  }

  private async answer(path: string, options: RequestInit): Promise<Response> {
    for (let attempt = 0; ; attempt++) {
      const token = await this.introduced()
      const headers = { ...options.headers, Authorization: `Bearer ${token}` }
      try {
        return await this.fetched(path, { ...options, headers })
      } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 401 || attempt) throw error
        this.forget(token)
      }
    }
  }

  private async plain(path: string, options: RequestInit): Promise<unknown> {
    return (await this.fetched(path, options)).json()
  }

  private async fetched(path: string, options: RequestInit): Promise<Response> {
    const signal = AbortSignal.timeout ? AbortSignal.timeout(path === '/files' ? 300_000 : 20_000) : null
    const answer = await fetch(this.root + path, { credentials: 'omit', cache: 'no-store', ...options, signal })
    if (!answer.ok) throw new Refusal(answer.status, Number(answer.headers.get('Retry-After')) || 5)
    return answer
  }
}
