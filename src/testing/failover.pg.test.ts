import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { services } from '../../services/index.ts';
import { type TestApp, testApp, testDatabase, testServices } from './app.ts';
import { type PostgresPair, postgresPair } from './postgres-pair.ts';
