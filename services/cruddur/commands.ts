import type { Command } from 'commander';
import type { ServiceCli } from '../../src/index.ts';

export function commands(_program: Command, _cli: ServiceCli): void {}
