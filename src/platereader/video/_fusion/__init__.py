"""The evidence of many frames of one plate -> one text: every candidate is scored under every frame.

Votes over five frames raised the recognition rate of super-resolved plates from 31.1 to 44.7 % (Nascimento et al.,
"Toward advancing license plate super-resolution in real-world scenarios", 2025, arXiv 2505.06393); posteriors say more
than votes. Choosing the most confident frame is not the same, because cut-off plates read confidently.
"""

from __future__ import annotations

from platereader.video._fusion.evidence import MAX_EVIDENCE, FusedEvidence, FusedReading

__all__ = ["MAX_EVIDENCE", "FusedEvidence", "FusedReading"]
