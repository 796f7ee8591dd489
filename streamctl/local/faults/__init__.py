"""Trouble on demand: what may be injected, what of it makes sense, and what waits for its moment.

A fault is named by what it happens to: an operation of AWS ("dynamodb.PutItem"), met by the front
door whoever answers that operation otherwise, or a happening ("rekognition.Record"), met by the
part of the local cloud in which it happens. Nothing here does anything to anybody.
"""

from streamctl.local.faults.fault import Fault as Fault
from streamctl.local.faults.happenings import FRAGMENT_SENT as FRAGMENT_SENT
from streamctl.local.faults.happenings import FRAGMENT_VIEWED as FRAGMENT_VIEWED
from streamctl.local.faults.happenings import FRAME as FRAME
from streamctl.local.faults.happenings import MESSAGE as MESSAGE
from streamctl.local.faults.happenings import RECORD as RECORD
from streamctl.local.faults.happenings import TRANSITION as TRANSITION
from streamctl.local.faults.waiting import Faults as Faults
