// Package config turns the environment and the checkout's .env file into one validated struct. Nothing else reads
// settings from the environment.
package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"todo.local/magefiles/internal/fault"
)

// Where images and the cluster's programs come from.
const (
	ImagesAuto     = "auto"     // a container registry where one answers, else source
	ImagesRegistry = "registry" // pulled from container registries
	ImagesSource   = "source"   // built here from package registries
)

// Kinds of cluster. An existing one is named as "context:NAME".
const (
	ClusterAuto     = "auto"
	ClusterKind     = "kind"
	ClusterMinikube = "minikube"
	contextPrefix   = "context:"
)

// What the ingress answers HTTPS with.
const (
	TLSOff        = "off"         // whatever the ingress controller has
	TLSSelfSigned = "self-signed" // a certificate that nobody vouches for
	tlsPrefix     = "secret:"     // followed by the name of a Secret
)

// Config is every setting of a run. The doc tags are the README's configuration table.
type Config struct {
	Cluster     string `env:"TODO_CLUSTER" envDefault:"auto" doc:"auto, kind, minikube, or context:NAME for a cluster that exists already"`
	ClusterName string `env:"TODO_CLUSTER_NAME" envDefault:"todo" doc:"name of the kind cluster or minikube profile; a second name is a second, independent cluster"`
	Images      string `env:"TODO_IMAGES" envDefault:"auto" doc:"auto, registry (pull base images) or source (build them from package registries)"`
	NodeImage   string `env:"TODO_NODE_IMAGE" doc:"node image of a new kind cluster, for another version of Kubernetes; goes with TODO_IMAGES=registry"`
	Registry    string `env:"TODO_REGISTRY" doc:"registry to push images to, such as registry.example.com/team; needed for context:NAME"`
	Namespace   string `env:"TODO_NAMESPACE" envDefault:"todo" doc:"namespace of the release"`
	Host        string `env:"TODO_HOST" envDefault:"todo.local" doc:"host name of the ingress, next to todo.localhost"`
	HTTPPort    int    `env:"TODO_HTTP_PORT" envDefault:"0" doc:"port on 127.0.0.1 for HTTP; 0 takes 80, or 8080 where 80 cannot be had"`
	HTTPSPort   int    `env:"TODO_HTTPS_PORT" envDefault:"0" doc:"port on 127.0.0.1 for HTTPS; 0 takes 443, or 8443 where 443 cannot be had"`
	TLS         string `env:"TODO_TLS" envDefault:"off" doc:"off; self-signed: HTTPS with a certificate that deploy makes and renews, next to HTTP; or secret:NAME, a TLS Secret of yours in the namespace"`
	Cache       string `env:"TODO_CACHE" doc:"folder for what was built, shared by all checkouts; the user's cache folder where empty"`
	CABundle    string `env:"TODO_CA_BUNDLE" doc:"PEM file of certificate authorities in place of the system's, for builds behind a TLS-inspecting proxy, and next to the system's for HTTPS to the application and for the node's own pulls"`

	IngressClass string `env:"TODO_INGRESS_CLASS" doc:"IngressClass in the cluster of context:NAME; empty takes its default or only one"`

	Timeout time.Duration `env:"TODO_TIMEOUT" envDefault:"5m" doc:"how long the application may take to come up"`

	DatabaseURL   string `env:"DATABASE_URL" secret:"true" doc:"PostgreSQL to use, such as Neon's; empty runs one in the cluster"`
	JWTSecret     string `env:"JWT_SECRET" secret:"true" doc:"signing key of sessions, at least 32 bytes; generated once where empty"`
	OpenAIKey     string `env:"OPENAI_API_KEY" secret:"true" doc:"key for the model of the chat and of the target ai; without it the built-in assistants answer"`
	OpenAIBaseURL string `env:"OPENAI_BASE_URL" doc:"any OpenAI-compatible endpoint"`
	OpenAIModel   string `env:"OPENAI_MODEL" doc:"name of that model"`
	SMTPURL       string `env:"SMTP_URL" secret:"true" doc:"server that sends codes for forgotten passwords, as smtps://user:password@mail.example.com?from=todo@example.com; without it account:reset makes them"`
	LogLevel      string `env:"LOG_LEVEL" envDefault:"INFO" doc:"DEBUG, INFO, WARNING or ERROR"`
	Environment   string `env:"ENVIRONMENT" envDefault:"development" doc:"name of the environment, shown in logs"`
	PublicAPIURL  string `env:"NEXT_PUBLIC_API_URL" doc:"where browsers reach the backend; empty means the page's own origin, under /api"`

	Root  string `env:"-"` // the checkout
	State string `env:"-"` // what belongs to this checkout alone: kubeconfigs, diagnoses
}

// LocalHost is the name that the chart serves in any case: browsers resolve it to this machine by themselves.
const LocalHost = "todo.localhost"

// ReleaseName is the name of the Helm release.
const ReleaseName = "todo-app"

// Load reads the environment, and the .env file of the checkout at root for what the environment does not set, and
// validates the whole.
func Load(root string) (*Config, error) {
	vars, err := readDotEnv(filepath.Join(root, ".env"))
	if err != nil {
		return nil, err
	}
	for _, kv := range os.Environ() {
		if k, v, _ := strings.Cut(kv, "="); v != "" {
			vars[k] = v
		}
	}
	if err := mistyped(vars); err != nil {
		return nil, err
	}
	return parse(root, vars)
}

// telling is the length from which a value tells that it is a secret, whatever the name of its variable. A database's
// password may well be a user's name.
const telling = 8

// Take loads the settings and removes the secrets from this process's environment. Our own commands are handed what
// they need; what a library starts, such as a kubeconfig's credential plugin, inherits all that is there.
func Take(root string) (*Config, error) {
	c, err := Load(root)
	if err != nil {
		return nil, err
	}
	secrets := slices.DeleteFunc(c.Secrets(), func(s string) bool { return len(s) < telling })
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		if slices.Contains(secretNames(), name) || slices.Contains(secrets, value) {
			if err := os.Unsetenv(name); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

func parse(root string, vars map[string]string) (*Config, error) {
	c := &Config{Root: root, State: filepath.Join(root, ".cache")}
	if err := env.ParseWithOptions(c, env.Options{Environment: vars}); err != nil {
		return nil, unreadable(err)
	}
	if c.Cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return nil, fault.New(fault.CodeInput, "there is no cache folder for this user", "set TODO_CACHE or HOME")
		}
		c.Cache = filepath.Join(dir, "todo-deploy")
	}
	return c, c.validate()
}

// unreadable names the variable whose value is of another kind than it must be, and not the value.
func unreadable(err error) error {
	var bad env.ParseError
	errors.As(err, &bad)
	field, known := reflect.TypeFor[Config]().FieldByName(bad.Name)
	if !known {
		return fault.New(fault.CodeInput, strings.TrimPrefix(err.Error(), "env: "), "see the configuration table in README.md")
	}
	remedy := "use a number"
	if field.Type == reflect.TypeFor[time.Duration]() {
		remedy = "use a duration, such as 5m"
	}
	return fault.New(fault.CodeInput, field.Tag.Get("env")+" is not valid", remedy)
}

var (
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
	hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	registry = regexp.MustCompile(`^[a-zA-Z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*$`)
	// objectName is that of most objects in Kubernetes.
	objectName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)
	word       = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
)

// check is what has to hold of a variable.
type check struct {
	ok     bool
	name   string
	remedy string
}

func (c *Config) validate() error {
	for _, k := range append(c.surroundings(), c.application()...) {
		if !k.ok {
			// The value itself is not shown: it may be a secret pasted into the wrong variable.
			return fault.New(fault.CodeInput, k.name+" is not valid", k.remedy)
		}
	}
	return nil
}

// surroundings checks where the application goes, and how it is reached there.
func (c *Config) surroundings() []check {
	return []check{
		{c.Cluster == ClusterAuto || c.Cluster == ClusterKind || c.Cluster == ClusterMinikube || c.Context() != "", "TODO_CLUSTER", "use auto, kind, minikube or context:NAME"},
		{c.Context() == "" || c.Registry != "", "TODO_REGISTRY", "a cluster chosen with context: needs a registry that it can pull from"},
		{c.Images == ImagesAuto || c.Images == ImagesRegistry || c.Images == ImagesSource, "TODO_IMAGES", "use auto, registry or source"},
		{c.NodeImage == "" || c.Images == ImagesRegistry, "TODO_NODE_IMAGE", "it is pulled, so set TODO_IMAGES=registry as well, or leave it empty"},
		{dnsLabel.MatchString(c.ClusterName), "TODO_CLUSTER_NAME", "use at most 40 lower-case letters, digits and hyphens"},
		{dnsLabel.MatchString(c.Namespace), "TODO_NAMESPACE", "use at most 40 lower-case letters, digits and hyphens"},
		{hostName.MatchString(c.Host) && len(c.Host) <= 253, "TODO_HOST", "use a host name in lower case"},
		{c.Registry == "" || registry.MatchString(c.Registry), "TODO_REGISTRY", "use host[:port][/path], without a scheme"},
		{port(c.HTTPPort), "TODO_HTTP_PORT", "use a port from 1 to 65535, or 0"},
		{port(c.HTTPSPort), "TODO_HTTPS_PORT", "use a port from 1 to 65535, or 0"},
		{c.HTTPPort == 0 || c.HTTPPort != c.HTTPSPort, "TODO_HTTPS_PORT", "use another port than TODO_HTTP_PORT"},
		{c.TLS == TLSOff || c.TLS == TLSSelfSigned || objectName.MatchString(c.TLSSecret()), "TODO_TLS", "use off, self-signed or secret:NAME"},
		{c.IngressClass == "" || objectName.MatchString(c.IngressClass), "TODO_INGRESS_CLASS", "use the name of an IngressClass: kubectl get ingressclasses"},
		{c.IngressClass == "" || c.Context() != "", "TODO_INGRESS_CLASS", "it goes with TODO_CLUSTER=context:NAME; other clusters have an ingress controller of this project's"},
	}
}

// application checks what the application is told.
func (c *Config) application() []check {
	return []check{
		{c.Timeout >= 10*time.Second && c.Timeout <= time.Hour, "TODO_TIMEOUT", "use a duration from 10s to 1h, such as 5m"},
		{validDatabaseURL(c.DatabaseURL), "DATABASE_URL", "use postgresql://user:password@host/database"},
		{c.JWTSecret == "" || len(c.JWTSecret) >= 32, "JWT_SECRET", "use at least 32 bytes, or leave it empty to have one generated"},
		{validHTTPURL(c.OpenAIBaseURL), "OPENAI_BASE_URL", "use an http:// or https:// URL"},
		{c.SMTPURL == "" || c.MailPort() != 0, "SMTP_URL", "use smtps://user:password@host?from=address, or smtp://"},
		{validHTTPURL(c.PublicAPIURL), "NEXT_PUBLIC_API_URL", "use an http:// or https:// URL, or leave it empty"},
		{c.LogLevel == "DEBUG" || c.LogLevel == "INFO" || c.LogLevel == "WARNING" || c.LogLevel == "ERROR", "LOG_LEVEL", "use DEBUG, INFO, WARNING or ERROR"},
		{word.MatchString(c.Environment), "ENVIRONMENT", "use at most 32 lower-case letters, digits and hyphens"},
	}
}

func port(n int) bool { return n >= 0 && n <= 65535 }

func validDatabaseURL(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") == "" {
		return false
	}
	return u.Scheme == "postgres" || u.Scheme == "postgresql" || u.Scheme == "postgresql+psycopg"
}

func validHTTPURL(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// mailPorts are those of servers that send mail, where a URL names none.
var mailPorts = map[string]int{"smtp": 25, "smtps": 465}

// MailPort is the port of the server that sends mail; 0 where SMTP_URL names none that can be used.
func (c *Config) MailPort() int {
	u, err := url.Parse(c.SMTPURL)
	if err != nil || u.Hostname() == "" || !strings.Contains(u.Query().Get("from"), "@") || mailPorts[u.Scheme] == 0 {
		return 0
	}
	if u.Port() == "" {
		return mailPorts[u.Scheme]
	}
	n, _ := strconv.Atoi(u.Port()) // digits, or it was no URL
	return n
}

// Hosts are the names that the ingress answers to.
func (c *Config) Hosts() []string {
	return slices.Compact([]string{c.Host, LocalHost})
}

// TLSSecret is the Secret that TODO_TLS names, or nothing.
func (c *Config) TLSSecret() string {
	name, ok := strings.CutPrefix(c.TLS, tlsPrefix)
	if !ok {
		return ""
	}
	return name
}

// Chart is the folder of one of the project's charts.
func (c *Config) Chart(name string) string { return filepath.Join(c.Root, "charts", name) }

// Relative shortens a path below the checkout, for messages.
func (c *Config) Relative(path string) string {
	if rel, err := filepath.Rel(c.Root, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}

// Context is the kubeconfig context that TODO_CLUSTER names, or nothing.
func (c *Config) Context() string {
	name, ok := strings.CutPrefix(c.Cluster, contextPrefix)
	if !ok {
		return ""
	}
	return name
}

// Kubeconfig is this checkout's own kubeconfig for the cluster; the user's is neither read nor changed.
func (c *Config) Kubeconfig() string {
	return filepath.Join(c.State, fmt.Sprintf("kubeconfig-%s", c.ClusterName))
}

// Secrets gives the values that no output may show.
func (c *Config) Secrets() []string {
	all := []string{c.DatabaseURL, c.JWTSecret, c.OpenAIKey, c.SMTPURL}
	for _, s := range []string{c.DatabaseURL, c.SMTPURL} {
		if u, err := url.Parse(s); err == nil {
			password, _ := u.User.Password()
			all = append(all, password)
		}
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}
