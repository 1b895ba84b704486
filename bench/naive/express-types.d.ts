// What is used of Express 5, which brings no types of its own.
declare module 'express' {
  import type { Server } from 'node:http';

  interface Request {
    readonly headers: Readonly<Record<string, string | undefined>>;
    readonly params: Readonly<Record<string, string>>;
    readonly query: Readonly<Record<string, string | undefined>>;
    readonly body: unknown;
  }

  interface Response {
    status(code: number): Response;
    json(body: unknown): Response;
  }

  type Handler = (request: Request, response: Response) => Promise<unknown>;

  interface Application {
    disable(setting: string): void;
    use(middleware: unknown): void;
    get(path: string, handler: Handler): void;
    post(path: string, handler: Handler): void;
    listen(port: number, host: string, done: () => void): Server;
  }

  const express: { (): Application; json(): unknown };
  export default express;
}
