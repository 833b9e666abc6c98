import { serve } from '../support/serve.ts'
import { auditFolder } from './auditFolder.ts'

serve(auditFolder)
