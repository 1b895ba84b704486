import { type Logger, type LoggerOptions, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from '../runtime/options.ts';

/** The process's log, on stderr: lines for people on a terminal, JSON elsewhere. */
export function createLog(level: LogLevel): Logger {
  const options: LoggerOptions = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!process.stderr.isTTY) return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(options, pretty({ destination: 2, sync: true, translateTime: 'HH:MM:ss' }));
}

/** Of a command other than `start`: what went well is not worth a line. */
export function commandLog(level: LogLevel): Logger {
  return createLog(level === 'info' ? 'warn' : level);
}
