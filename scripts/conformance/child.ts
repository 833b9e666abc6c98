import { serve } from '../support/serve.ts'
import { checkModel } from './check.ts'

serve(checkModel)
