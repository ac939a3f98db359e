"""Password hashes: argon2id with OWASP's parameters, computed off the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

# 19 MiB a hash; two at a time bound the memory and leave the event loop its share of the processor.
_hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


async def hash_password(password: str) -> str:
    """Hash a new password."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password fits; without a hash (no such account) the answer is no, after the same time."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _verify, password, password_hash)


def _verify(password: str, password_hash: str | None) -> bool:
    fits = _hasher.verify(password, password_hash or _no_ones_hash())
    return fits and password_hash is not None


@cache
def _no_ones_hash() -> str:
    return _hasher.hash("the password of no account")
