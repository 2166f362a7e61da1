#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'

// Young objects get less room before they are collected: models are large, the graphs around them are not.
setFlagsFromString('--semi-space-growth-factor=1')
const { main } = await import('../dist/cli/main.js')

process.exitCode = await main(process.argv.slice(2))
