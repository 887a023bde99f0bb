"""What exists in a cloud: one frozen row type for each thing, in CloudStack's words.

Ids are UUIDs, times are Unix seconds, `_mib` and `_mhz` fields are what they say, other sizes bytes.
"""

from cloudsim.model.addresses import (
    GuestVlanRange,
    IpRange,
    NetworkServiceProvider,
    PodIp,
    PodIpRange,
    PublicIp,
    StorageIpRange,
    VirtualRouterElement,
)
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
from cloudsim.model.rules import (
    FirewallRule,
    HealthCheckPolicy,
    IpForwardingRule,
    LoadBalancerMember,
    LoadBalancerRule,
    PortForwardingRule,
    SecurityGroup,
    SecurityGroupRule,
    SslCertificate,
    StickinessPolicy,
)
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
    VolumeOnStore,
)
from cloudsim.model.systemvm import ConsoleSession, RouterHealthCheck, SystemVm, Transfer
from cloudsim.model.vpc import NetworkAcl, NetworkAclList, PrivateGateway, StaticRoute, Vpc, VpcOffering
from cloudsim.model.vpn import RemoteAccessVpn, VpnConnection, VpnCustomerGateway, VpnGateway, VpnUser

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
    NetworkServiceProvider,
    VirtualRouterElement,
    NetworkOffering,
    VpcOffering,
    Vpc,
    NetworkAclList,
    NetworkAcl,
    Network,
    IpRange,
    PublicIp,
    StorageIpRange,
    PodIpRange,
    GuestVlanRange,
    SecurityGroup,
    SecurityGroupRule,
    SshKeyPair,
    UserData,
    AffinityGroup,
    InstanceGroup,
    VirtualMachine,
    Nic,
    SystemVm,
    RouterHealthCheck,
    PodIp,
    PrivateGateway,
    StaticRoute,
    FirewallRule,
    PortForwardingRule,
    IpForwardingRule,
    SslCertificate,
    LoadBalancerRule,
    LoadBalancerMember,
    StickinessPolicy,
    HealthCheckPolicy,
    RemoteAccessVpn,
    VpnUser,
    VpnGateway,
    VpnCustomerGateway,
    VpnConnection,
    ConsoleSession,
    Volume,
    VolumeOnStore,
    Snapshot,
    SnapshotPolicy,
    VmSnapshot,
    Transfer,
    AsyncJob,
    Event,
    Alert,
    Configuration,
    ResourceTag,
)
"""Every row type, those that others refer to first."""

__all__ = [t.__name__ for t in ROW_TYPES] + ["ROW_TYPES"]
