"""Warns of a model that a gateway does not list, once a request to it has failed.

Lists are often incomplete: a model that answers has the right name, whatever the list says.
"""

import logging
from collections.abc import Iterable

from engine.did_you_mean import Doubt
from recording.arms import GATEWAY, REFERENCE
from recording.record import RequestRecord

log = logging.getLogger("weighbridge")


class UnlistedModels:
    """The models that the look before the run did not find, until the gateway has answered."""

    def __init__(self, of_gateway: Iterable[Doubt], of_reference: Iterable[Doubt] = ()) -> None:
        self._doubts = {
            (arm, doubt.asked): doubt
            for arm, doubts in ((GATEWAY, of_gateway), (REFERENCE, of_reference))
            for doubt in doubts
            if doubt.kind == "model"
        }

    def see(self, record: RequestRecord) -> None:
        """The first answer to a request for a model decides whether to warn."""
        if not self._doubts or record.http_status is None:
            return
        arm = record.arm or GATEWAY
        doubt = self._doubts.pop((arm, record.model_requested), None)
        if doubt is None or record.success:
            return
        if arm == REFERENCE:
            log.warning("--against: %s", doubt)
        else:
            log.warning("%s", doubt)
