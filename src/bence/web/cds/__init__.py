"""CDS Hooks 2.0: Bence inside a hospital's own record, for the patient whose FHIR resources the hook brings. Nothing of it is stored."""

from __future__ import annotations

from .service import router

__all__ = ["router"]
