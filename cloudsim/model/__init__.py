"""What exists in a cloud: one frozen row type for each thing, in CloudStack's words.

Ids are UUIDs, times are Unix seconds, `_mib` and `_mhz` fields are what they say, other sizes bytes.
"""

from cloudsim.model.compute import (
    AffinityGroup,
    InstanceGroup,
    ServiceOffering,
    SshKeyPair,
    UserData,
    VirtualMachine,
    VmSnapshot,
)
from cloudsim.model.identity import Account, Domain, Project, ProjectMember, ResourceLimit, Role, User
from cloudsim.model.infrastructure import Cluster, Host, ImageStore, Pod, StoragePool, Zone
from cloudsim.model.network import Network, NetworkOffering, Nic, PhysicalNetwork, TrafficType
from cloudsim.model.operations import Alert, AsyncJob, Configuration, Event, ResourceTag
from cloudsim.model.storage import (
    DiskOffering,
    GuestOs,
    GuestOsCategory,
    Snapshot,
    SnapshotPolicy,
    Template,
    TemplateOnPool,
    TemplateOnStore,
    Volume,
)

ROW_TYPES = (
    Domain,
    Role,
    Account,
    User,
    Project,
    ProjectMember,
    ResourceLimit,
    Zone,
    Pod,
    Cluster,
    Host,
    StoragePool,
    ImageStore,
    GuestOsCategory,
    GuestOs,
    ServiceOffering,
    DiskOffering,
    Template,
    TemplateOnStore,
    TemplateOnPool,
    PhysicalNetwork,
    TrafficType,
    NetworkOffering,
    Network,
    SshKeyPair,
    UserData,
    AffinityGroup,
    InstanceGroup,
    VirtualMachine,
    Nic,
    Volume,
    Snapshot,
    SnapshotPolicy,
    VmSnapshot,
    AsyncJob,
    Event,
    Alert,
    Configuration,
    ResourceTag,
)
"""Every row type, those that others refer to first."""

__all__ = [t.__name__ for t in ROW_TYPES] + ["ROW_TYPES"]
