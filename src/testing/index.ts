// What tests of services use, as `lockstep/testing`.
export { type TestApp, testServices } from './services.ts';
