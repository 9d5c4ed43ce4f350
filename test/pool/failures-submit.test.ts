/** The table of failures (failures.ts), walked with tasks that are submitted by executor.submit. */
import { checkLeaks } from '../leaks.js'
import { methods } from './failures-stage.js'
import { walk } from './failures-walk.js'

checkLeaks()
walk(methods.find(({ name }) => name === 'submit')!)
