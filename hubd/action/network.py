"""The two Stacks networks. A mesh lives on one of them, for ever, as its charter says."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Network:
    """Constants of one network (SIP-005 for transactions, SIP-018 for `chain_id`)."""

    name: str
    chain_id: int
    transaction_version: int
    single_sig: int  # c32check version of a key's principal
    multi_sig: int  # c32check version of a script's principal
    versions: frozenset[int] = field(init=False, repr=False, compare=False)  # of all principals that are valid here

    def __post_init__(self) -> None:
        object.__setattr__(self, "versions", frozenset((self.single_sig, self.multi_sig)))


MAINNET = Network("mainnet", chain_id=1, transaction_version=0x00, single_sig=22, multi_sig=20)
TESTNET = Network("testnet", chain_id=0x80000000, transaction_version=0x80, single_sig=26, multi_sig=21)
BY_NAME = {network.name: network for network in (MAINNET, TESTNET)}
