package analysis

// Kind is the class of a finding.
type Kind string

// The kinds of fault. The first group are those of a rollout that does not come up.
const (
	Image         Kind = "image"
	Config        Kind = "config"
	Start         Kind = "start"
	Crash         Kind = "crash"
	Init          Kind = "init"
	Memory        Kind = "memory"
	Probe         Kind = "probe"
	Unschedulable Kind = "unschedulable"
	Volume        Kind = "volume"
	Sandbox       Kind = "sandbox"
	Quota         Kind = "quota"
	Refused       Kind = "refused"
	NodePressure  Kind = "node-pressure"

	Missing    Kind = "missing-reference"
	Restarts   Kind = "restarts"
	Liveness   Kind = "liveness"
	ProbePort  Kind = "probe-port"
	ScaledDown Kind = "scaled-to-zero"
	Paused     Kind = "paused"

	Selector    Kind = "service-selector"
	ServicePort Kind = "service-port"
	NoEndpoints Kind = "no-endpoints"

	IngressClass   Kind = "ingress-class"
	IngressBackend Kind = "ingress-backend"
	HostTaken      Kind = "host-taken"
	Certificate    Kind = "certificate"
	CertificateFor Kind = "certificate-host"

	PolicyDatabase Kind = "policy-database"
	PolicyDNS      Kind = "policy-dns"
	PolicyIngress  Kind = "policy-ingress"

	NoMetrics  Kind = "autoscaler-metrics"
	AtLimit    Kind = "autoscaler-limit"
	BlocksNode Kind = "disruption-budget"
	QuotaNear  Kind = "quota-near"
	Pending    Kind = "claim-pending"
	Finalizer  Kind = "finalizer"

	NodeDown     Kind = "node-down"
	Cordoned     Kind = "node-cordoned"
	MemoryNear   Kind = "memory-near-limit"
	CPUNear      Kind = "cpu-at-limit"
	Architecture Kind = "architecture"

	DNS              Kind = "dns"
	RBAC             Kind = "rbac"
	DiskFull         Kind = "disk-full"
	Clock            Kind = "clock"
	Pool             Kind = "connection-pool"
	DatabaseFull     Kind = "database-connections"
	DatabaseLogin    Kind = "database-login"
	DatabaseAway     Kind = "database-unreachable"
	SchemaBehind     Kind = "schema"
	SlowQueries      Kind = "slow-requests"
	ServerErrors     Kind = "server-errors"
	SecretShape      Kind = "secret-shape"
	TrustedAuthority Kind = "untrusted-authority"
)

// kinds says of each kind how deep a cause it is, so that causes come before what follows from them; what can be done;
// and whether the application still works.
var kinds = map[Kind]struct {
	depth   int
	remedy  string
	warning bool
}{
	Image:         {depth: 85},
	Config:        {depth: 80},
	Start:         {depth: 70},
	Crash:         {depth: 50},
	Init:          {depth: 50},
	Memory:        {depth: 75},
	Probe:         {depth: 40},
	Unschedulable: {depth: 75},
	Volume:        {depth: 70},
	Sandbox:       {depth: 70},
	Quota:         {depth: 85},
	Refused:       {depth: 85},
	NodePressure:  {depth: 88},

	Missing:    {depth: 90, remedy: "go tool mage deploy   (it writes the Secret and the ConfigMap)"},
	Restarts:   {depth: 30, remedy: "go tool mage logs -service=backend", warning: true},
	Liveness:   {depth: 65, remedy: "give the service a startup probe, or the liveness probe a longer initialDelaySeconds, in the chart; then: go tool mage deploy"},
	ProbePort:  {depth: 78, remedy: "correct the probe's port in the chart; then: go tool mage deploy"},
	ScaledDown: {depth: 60},
	Paused:     {depth: 60},

	Selector:    {depth: 82, remedy: "go tool mage deploy   (it puts the chart's selector back)"},
	ServicePort: {depth: 82, remedy: "go tool mage deploy   (it puts the chart's ports back)"},
	NoEndpoints: {depth: 20, remedy: "go tool mage status   (no pod behind the service is ready)"},

	IngressClass:   {depth: 82, remedy: "name one that is there, TODO_INGRESS_CLASS for a cluster of your own; then: go tool mage deploy"},
	IngressBackend: {depth: 82, remedy: "go tool mage deploy   (it puts the chart's Ingress back)"},
	HostTaken:      {depth: 82, remedy: "set TODO_HOST to another name; then: go tool mage deploy"},
	Certificate:    {depth: 82, remedy: "go tool mage deploy   (it renews a self-signed certificate; renew one of your own where it is made)"},
	CertificateFor: {depth: 82, remedy: "make the certificate anew for the host, or set TODO_HOST to one that it names; then: go tool mage deploy"},

	PolicyDatabase: {depth: 90},
	PolicyDNS:      {depth: 90},
	PolicyIngress:  {depth: 90},

	NoMetrics:  {depth: 55, remedy: "go tool mage top   (it says whether the metrics server answers)", warning: true},
	AtLimit:    {depth: 25, remedy: "raise autoscaling.maxReplicas in the chart's values; then: go tool mage deploy", warning: true},
	BlocksNode: {depth: 15, remedy: "go tool mage scale backend 3   (a budget needs a pod more than it keeps)", warning: true},
	QuotaNear:  {depth: 15, warning: true},
	Pending:    {depth: 72},
	Finalizer:  {depth: 70},

	NodeDown:     {depth: 95, remedy: "go tool mage cluster:down cluster:up"},
	Cordoned:     {depth: 60, warning: true},
	MemoryNear:   {depth: 22, remedy: "raise resources.limits.memory of the service in the chart's values; then: go tool mage deploy", warning: true},
	CPUNear:      {depth: 21, remedy: "raise resources.limits.cpu of the service in the chart's values, or: go tool mage scale backend 3", warning: true},
	Architecture: {depth: 92, remedy: "go tool mage deploy   (it builds the images for what the nodes run)"},

	DNS:              {depth: 83, remedy: "kubectl -n kube-system get pods -l k8s-app=kube-dns   (and the name itself, in DATABASE_URL or OPENAI_BASE_URL)"},
	RBAC:             {depth: 83, remedy: "give the ServiceAccount that the line names a Role for it"},
	DiskFull:         {depth: 93, remedy: "go tool mage doctor   (free disk space on this machine: docker system df)"},
	Clock:            {depth: 84, remedy: "set this machine's clock: timedatectl set-ntp true"},
	Pool:             {depth: 62, remedy: "go tool mage scale backend 3   (or find the requests that keep connections: go tool mage logs -service=backend)"},
	DatabaseFull:     {depth: 84, remedy: "go tool mage scale backend 1   (fewer pods hold fewer connections), or raise max_connections of the database"},
	DatabaseLogin:    {depth: 84, remedy: "go tool mage deploy   (it gives the database and the pods the same password); with DATABASE_URL, correct it"},
	DatabaseAway:     {depth: 66, remedy: "go tool mage logs -service=postgres; with DATABASE_URL, check its host and port"},
	SchemaBehind:     {depth: 64, remedy: "go tool mage deploy   (its migration brings the schema up to date)"},
	SlowQueries:      {depth: 18, remedy: "go tool mage top; go tool mage logs -service=backend", warning: true},
	ServerErrors:     {depth: 19, remedy: "go tool mage logs -service=backend"},
	SecretShape:      {depth: 91, remedy: "set the value as it is, not encoded and without a line's end; then: go tool mage deploy"},
	TrustedAuthority: {depth: 63, remedy: "name a bundle with its authority in TODO_CA_BUNDLE; then: go tool mage deploy"},
}
