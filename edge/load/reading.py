"""Reading: one pass over a site's folder; the files it read, the mistakes it found, the secrets it was given.

Flow: site file -> [reading] -> sections and sheets -> sources, tags, rules
Never: raises for bad input before the end; ``mistakes.refuse()`` tells everything at once.
"""

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from edge.load.locate import Path as KeyPath
from edge.load.locate import locate
from edge.load.mistake import Mistakes, Place, show

FILE_BYTES_MAX = 64 * 1024 * 1024  # A hundred times the largest tag table we know (3,000 rows are 0.5 MB).
SECRET_BYTES_MAX = 64 * 1024

_TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)")


class Reading:
    """One reading of one site.

    Attributes:
        path: The site file.
        environ: The environment that secrets are taken from.
        files: Contents to take instead of those on disk, by path relative to the site file: a change that is tried.
        warnings: What may well be meant so; it keeps nobody from starting.
    """

    def __init__(self, path: Path, environ: Mapping[str, str], files: Mapping[str, bytes] | None = None) -> None:
        self._files = dict(files or {})
        self.path = path
        self.environ = environ
        self.mistakes = Mistakes()
        self.warnings = Mistakes()
        self._digests: dict[str, str] = {}
        self._contents: dict[str, bytes] = {}
        self._texts: dict[str, str | None] = {}
        self._raws: dict[str, bytes | None] = {}

    @property
    def noted(self) -> int:
        """How often a mistake or a doubt was to be noted: where it has not grown, what was read is right."""
        return self.mistakes.asked + self.warnings.asked

    def show_file(self, name: str) -> str:
        """Give a file of the site's folder as the user would open it."""
        return str(self.path.parent / name)

    def text(self, name: str, named_at: Place) -> str | None:
        """Read a UTF-8 file of the site's folder; None where that is impossible, which is a mistake.

        Args:
            name: Path relative to the site file.
            named_at: Where the site names it.
        """
        if name not in self._texts:
            self._texts[name] = self._read_text(name, named_at)
        return self._texts[name]

    def raw(self, name: str, named_at: Place) -> bytes | None:
        """Read a file of the site's folder as it is; None where that is impossible, which is a mistake.

        Args:
            name: Path relative to the site file.
            named_at: Where the site names it.
        """
        if name not in self._raws:
            self._raws[name] = self._read_raw(name, named_at)
        return self._raws[name]

    def _read_raw(self, name: str, named_at: Place) -> bytes | None:
        inside = Path(os.path.normpath(name))  # by its text only: a folder may be put together of links
        if inside.is_absolute() or inside.parts[:1] == ("..",):
            self.mistakes.add(
                named_at,
                f"File {show(name)} lies outside the site's folder; a site is one folder, so that it can be copied and "
                "compared whole.",
                "Move the file beside the site file and write its path relative to that.",
            )
            return None
        raw = self._files.get(inside.as_posix())
        if raw is None:
            raw = self._read_bytes(self.path.parent / name, FILE_BYTES_MAX, named_at, f"File {name}")
        if raw is not None:
            self._digests[inside.as_posix()] = hashlib.sha256(raw).hexdigest()
            self._contents[inside.as_posix()] = raw
        return raw

    def _read_text(self, name: str, named_at: Place) -> str | None:
        raw = self.raw(name, named_at)
        if raw is None:
            return None
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.mistakes.add(
                Place(self.show_file(name), raw.count(b"\n", 0, error.start) + 1, "file"),
                f"File {name}: byte 0x{raw[error.start]:02X} is not UTF-8; all configuration files are UTF-8.",
                "Save it as UTF-8 (in a spreadsheet: “CSV UTF-8”).",
            )
            return None

    def _read_bytes(self, path: Path, bytes_max: int, place: Place, who: str) -> bytes | None:
        try:
            with path.open("rb") as file:
                raw = file.read(bytes_max + 1)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self.mistakes.add(place, f"{who} cannot be read: {why}.", "Give the path of a file that can be read.")
            return None
        if len(raw) > bytes_max:
            self.mistakes.add(place, f"{who} is larger than {bytes_max} bytes.", "Give a smaller file.")
            return None
        return raw

    def document(self) -> tuple[dict[str, object], dict[KeyPath, int]]:
        """Read the site file: its values, and the line of each key.

        Raises:
            ConfigError: It cannot be read or is not TOML; without it nothing else can be judged.
        """
        name = self.path.name
        self._refuse_folder()
        text = self.text(name, Place(str(self.path), 1, "file"))
        values: dict[str, object] = {}
        lines: dict[KeyPath, int] = {}
        if text is not None:
            try:
                values = tomllib.loads(text)
                lines = locate(text.replace("\r\n", "\n"))
            except tomllib.TOMLDecodeError as error:
                self._syntax(text, str(error))
            except (ValueError, RecursionError):  # a number of thousands of digits, thousands of nested lists
                self._syntax(text, "A value is too long or nested too deeply (at line 1, column 1)")
        self.mistakes.refuse()
        return values, lines

    def _refuse_folder(self) -> None:
        try:
            inside = sorted(file.name for file in self.path.glob("*.toml")) if self.path.is_dir() else None
        except (OSError, ValueError):  # what opens it will say why
            return
        if inside is None:
            return
        first = "site.toml" if "site.toml" in inside else next(iter(inside), "")
        self.mistakes.add(
            Place(str(self.path), 1, "file"),
            f"{self.path} is a folder and cannot be read as a site file.",
            f"Give the site file in it: {self.path / first}." if first else "Give the path of a site file, site.toml.",
        )
        self.mistakes.refuse()

    def _syntax(self, text: str, message: str) -> None:
        found = _TOML_LINE.search(message)
        line = int(found.group(1)) if found else text.rstrip("\n").count("\n") + 1
        what = _TOML_LINE.sub("", message).replace("(at end of document)", "").strip()
        self.mistakes.add(
            Place(str(self.path), line, "toml"),
            f"File {self.path.name} is not valid TOML: {what}.",
            "Put this line right first; the rest of the file is judged after that.",
        )

    def secret_file(self, name: str, place: Place, who: str) -> str:
        """Read a secret from a file, without the line end; it is no part of the revision."""
        raw = self._read_bytes(self.path.parent / name, SECRET_BYTES_MAX, place, f"{who}: secret file {name}")
        if raw is None:
            return ""
        try:
            secret = raw.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            self.mistakes.add(place, f"{who}: secret file {name} is not UTF-8 text.", "Write the secret as text.")
            return ""
        if not secret:
            self.mistakes.add(place, f"{who}: secret file {name} is empty.", "Write the secret into it.")
        return secret

    @property
    def contents(self) -> dict[str, bytes]:
        """All configuration files read, by path relative to the site file; no secret is among them."""
        return dict(self._contents)

    @property
    def revision(self) -> str:
        """Digest of all configuration files read: SHA-256 over their sorted names and digests."""
        text = "".join(f"{name}\0{digest}\n" for name, digest in sorted(self._digests.items()))
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
