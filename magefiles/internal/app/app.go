// Package app is the application as a table: it says of each service what it is called, is built from, needs and may.
// All other rooms take it from here. What files of other tools repeat of it, the chart's values, compose.yaml and the
// release workflow, is compared by this package's tests.
package app

import (
	"regexp"
	"slices"
	"strings"
)

// Base is a base image of the project's, by the build argument with which a Dockerfile takes it.
type Base string

// The base images.
const (
	Python Base = "PYTHON_IMAGE"
	Node   Base = "NODE_IMAGE"
)

// Service is a row of the table.
type Service struct {
	Name     string   // of its Deployment, its container, its entry in the chart, and on the command line
	Folder   string   // with its Dockerfile, from the checkout's root; empty where its image is not the project's own
	Target   string   // the Dockerfile's stage that runs
	Tests    string   // the stage whose command are the service's tests; empty where there is none
	Base     Base     // what the image is built on
	Port     int      // that its container listens on; 0 for none
	Probes   Probes   // paths, where it speaks HTTP
	Secrets  []string // keys of the application's Secret that it reads
	Scalable bool     // whether it may run on any number of pods, which are replaced one after another
	Develop  Develop  // how it is worked on while it runs
	Words    string   // a regular expression of what people call it besides its name
}

// Develop is how a service takes changes of its code while it runs.
type Develop struct {
	Target  string            // the Dockerfile's stage that does; empty where there is none
	Folders map[string]string // folders in the container that it writes to, by name
	Take    []string          // the command in the container that takes changes in
	Synced  []string          // what it takes, files and folders of the service's own; the rest does not matter to what runs
	Built   []string          // what takes another image
	Probe   string            // a path that answers whatever is wrong with the code; empty where the usual ones do
	Memory  string            // that it may use, in place of what the chart says
	Mistake string            // what happens while the code has one
}

// Probes are the paths that tell whether a pod has started, lives, and takes requests.
type Probes struct{ Startup, Liveness, Readiness string }

// The services with a part of their own in a deployment: the smoke test asks the backend and the frontend, the
// backend's migration tries out a database, and the database in the cluster is told its password.
var (
	Backend = Service{
		Name: "backend", Folder: "backend", Target: "runtime", Tests: "test", Base: Python, Port: 8000, Scalable: true,
		Probes:  Probes{Startup: "/health", Liveness: "/health", Readiness: "/health/ready"},
		Secrets: []string{"DATABASE_URL", "JWT_SECRET", "OPENAI_API_KEY", "SMTP_URL"}, Words: `back end|api|server`,
		Develop: Develop{
			Target: "dev", Folders: map[string]string{"code": "/code"}, Take: []string{"python", "-m", "develop.connect", "/tmp/develop.sock"},
			Synced: []string{"src"}, Built: []string{"Dockerfile", "requirements.txt", "migrations", "develop"},
			Memory: "1Gi", Mistake: "the version before goes on serving",
		},
	}
	Frontend = Service{
		Name: "frontend", Folder: "frontend", Target: "runtime", Tests: "test", Base: Node, Port: 3000, Scalable: true,
		Probes: Probes{Startup: "/", Liveness: "/", Readiness: "/"}, Words: `front end|web ?site|page|ui`,
		Develop: Develop{
			Target: "dev", Folders: map[string]string{"code": "/app/src", "cache": "/app/.next"},
			Take:   []string{"node", "runtime/develop.mjs", "/app/src", "127.0.0.1:3000"},
			Synced: []string{"src"},
			Built: []string{
				"Dockerfile", "package.json", "package-lock.json", ".npmrc", "next.config.ts", "postcss.config.mjs", "tsconfig.json", "runtime", "public",
			},
			Probe: "/__nextjs_font/geist-latin.woff2", Memory: "3Gi", Mistake: "the page shows it",
		},
	}
	Postgres = Service{
		Name: "postgres", Port: 5432, Secrets: []string{"POSTGRES_PASSWORD"}, Words: `postgresql|data ?base|db`,
	}
)

// services is the table. A further service is a row here and an entry of services in the chart's values.
var services = []Service{
	Backend,
	Frontend,
	Postgres,
}

// All gives every service.
func All() []Service { return slices.Clone(services) }

// Built gives the services whose images are built here.
func Built() []Service { return where(func(s Service) bool { return s.Folder != "" }) }

// Scalable gives the services that may run on any number of pods.
func Scalable() []Service { return where(func(s Service) bool { return s.Scalable }) }

// Developed gives the services that can be worked on while they run.
func Developed() []Service { return where(func(s Service) bool { return s.Develop.Target != "" }) }

// Reading gives the services built here that begin anew when the application's Secret changes.
func Reading() []Service {
	return where(func(s Service) bool { return s.Folder != "" && len(s.Secrets) > 0 })
}

func where(is func(Service) bool) []Service {
	return slices.DeleteFunc(All(), func(s Service) bool { return !is(s) })
}

// Find gives the service of a name.
func Find(name string) (Service, bool) {
	i := slices.IndexFunc(services, func(s Service) bool { return s.Name == name })
	if i < 0 {
		return Service{}, false
	}
	return services[i], true
}

// Names gives what services are called.
func Names(of []Service) []string {
	var names []string
	for _, s := range of {
		names = append(names, s.Name)
	}
	return names
}

// prefix sets images and labels of the application's apart from others of that name.
const prefix = "todo-"

// Label is the value of the label app on the service's pods, and the name of its image.
func (s Service) Label() string { return prefix + s.Name }

// OfLabel is the name of the service whose pods have that value of the label app.
func OfLabel(label string) string { return strings.TrimPrefix(label, prefix) }

// Host is the service's name in the cluster's DNS.
func (s Service) Host() string { return s.Name + "-svc" }

// Selector selects the pods of services.
func Selector(of ...Service) string {
	var labels []string
	for _, s := range of {
		labels = append(labels, s.Label())
	}
	return "app in (" + strings.Join(labels, ",") + ")"
}

// ComposeVariable names what compose.yaml lets be chosen of a service: its IMAGE, or its PORT on this machine.
func ComposeVariable(service, what string) string {
	return "TODO_" + strings.ToUpper(service) + "_" + what
}

// Entry is the way to the service's entry in the chart's values. Those that the chart is about have theirs at the top.
func (s Service) Entry() []string {
	if slices.Contains([]string{Backend.Name, Frontend.Name, Postgres.Name}, s.Name) {
		return []string{s.Name}
	}
	return []string{"services", s.Name}
}

// Called tells whether a text in lower case speaks of the service, in the singular or the plural.
func (s Service) Called(text string) bool {
	words := regexp.QuoteMeta(s.Name)
	if s.Words != "" {
		words += "|" + s.Words
	}
	return regexp.MustCompile(`\b(` + words + `)s?\b`).MatchString(text)
}
