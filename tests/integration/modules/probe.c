/* A module for the tests, with a type of its own: a number. It needs no header, only the names of the functions
 * that a server gives to modules (https://redis.io/docs/latest/develop/reference/modules/modules-api-ref/).
 *
 *     PROBE.ADD key n          add to the number, which begins with 0; the sum
 *     PROBE.GET key            the number, or null
 *     PROBE.MOVE to from ...   add all to the first, and delete the others; the sum
 *     PROBE.CLEAR key          delete it
 *     PROBE.STRING key value   make the key a string that expires after 100 s
 *     PROBE.DIE key            add, and kill the server
 *     PROBE.SCHEMA name        a write without keys
 *     PROBE.COUNT              a read without keys: how many commands were run here
 *     PROBE.SET|NUMBER key n   a subcommand
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct Ctx Ctx;
typedef struct String String;
typedef struct Key Key;
typedef struct Type Type;
typedef struct Io Io;
typedef struct Command Command;
typedef int (*Handler)(Ctx *, String **, int);

enum { OK, MISTAKE };
enum { READ = 1, WRITE = 2 };
enum { API = 1, EMPTY = 0 };

typedef struct {
    unsigned long long version;
    void *(*load)(Io *, int);
    void (*save)(Io *, void *);
    void (*rewrite)(Io *, String *, void *);
    void *usage, *digest;
    void (*release)(void *);
} Methods;

static int (*get_api)(const char *, void *);
static int (*set_attributes)(Ctx *, const char *, int, int);
static int (*create_command)(Ctx *, const char *, Handler, const char *, int, int, int);
static Command *(*get_command)(Ctx *, const char *);
static int (*create_subcommand)(Command *, const char *, Handler, const char *, int, int, int);
static Type *(*create_type)(Ctx *, const char *, int, Methods *);
static Key *(*open_key)(Ctx *, String *, int);
static void (*close_key)(Key *);
static int (*delete_key)(Key *);
static int (*key_type)(Key *);
static Type *(*type_of)(Key *);
static void *(*value_of)(Key *);
static int (*set_value)(Key *, Type *, void *);
static int (*set_string)(Key *, String *);
static int (*set_expire)(Key *, long long);
static int (*to_number)(const String *, long long *);
static int (*reply_number)(Ctx *, long long);
static int (*reply_null)(Ctx *);
static int (*reply_error)(Ctx *, const char *);
static int (*reply_simple)(Ctx *, const char *);
static int (*wrong_arity)(Ctx *);
static int (*replicate)(Ctx *);
static void (*save_signed)(Io *, long long);
static long long (*load_signed)(Io *);
static void *(*take)(size_t);
static void (*give_back)(void *);

static Type *number;
static long long commands;

static void *load(Io *io, int version) {
    (void)version;
    long long *value = take(sizeof *value);
    *value = load_signed(io);
    return value;
}
static void save(Io *io, void *value) { save_signed(io, *(long long *)value); }
static void rewrite(Io *io, String *key, void *value) { (void)io, (void)key, (void)value; }

/* The number at an opened key; made when it is missing, if that is wanted. 0: it is of another type, or missing. */
static long long *at(Key *key, int make) {
    int kind = key_type(key);
    if (kind != EMPTY) return type_of(key) == number ? value_of(key) : 0;
    if (!make) return 0;
    long long *value = take(sizeof *value);
    *value = 0;
    set_value(key, number, value);
    return value;
}

static int add(Ctx *ctx, String **args, int count) {
    long long more;
    commands++;
    if (count != 3) return wrong_arity(ctx);
    if (to_number(args[2], &more)) return reply_error(ctx, "ERR it is no number");
    Key *key = open_key(ctx, args[1], READ | WRITE);
    long long *value = at(key, 1);
    if (!value) return close_key(key), reply_error(ctx, "WRONGTYPE it is of another type");
    long long sum = *value += more;
    close_key(key);
    replicate(ctx);
    return reply_number(ctx, sum);
}

static int die(Ctx *ctx, String **args, int count) {
    add(ctx, args, count);
    kill(getpid(), SIGKILL);
    return OK;
}

static int get(Ctx *ctx, String **args, int count) {
    commands++;
    if (count != 2) return wrong_arity(ctx);
    Key *key = open_key(ctx, args[1], READ);
    if (!key) return reply_null(ctx);
    long long *value = at(key, 0);
    long long found = value ? *value : 0;
    close_key(key);
    return value ? reply_number(ctx, found) : reply_error(ctx, "WRONGTYPE it is of another type");
}

static int move(Ctx *ctx, String **args, int count) {
    commands++;
    if (count < 3) return wrong_arity(ctx);
    Key *to = open_key(ctx, args[1], READ | WRITE);
    long long *sum = at(to, 1);
    if (!sum) return close_key(to), reply_error(ctx, "WRONGTYPE it is of another type");
    for (int place = 2; place < count; place++) {
        Key *from = open_key(ctx, args[place], READ | WRITE);
        long long *value = at(from, 0);
        if (value) *sum += *value, delete_key(from);
        close_key(from);
    }
    long long told = *sum;
    close_key(to);
    replicate(ctx);
    return reply_number(ctx, told);
}

static int clear(Ctx *ctx, String **args, int count) {
    commands++;
    if (count != 2) return wrong_arity(ctx);
    Key *key = open_key(ctx, args[1], READ | WRITE);
    delete_key(key);
    close_key(key);
    replicate(ctx);
    return reply_simple(ctx, "OK");
}

static int string(Ctx *ctx, String **args, int count) {
    commands++;
    if (count != 3) return wrong_arity(ctx);
    Key *key = open_key(ctx, args[1], READ | WRITE);
    delete_key(key);
    set_string(key, args[2]);
    set_expire(key, 100000);
    close_key(key);
    replicate(ctx);
    return reply_simple(ctx, "OK");
}

static int schema(Ctx *ctx, String **args, int count) {
    (void)args, (void)count, commands++;
    return reply_simple(ctx, "OK");
}

static int counted(Ctx *ctx, String **args, int count) {
    (void)args, (void)count;
    return reply_number(ctx, commands);
}

static int sub_number(Ctx *ctx, String **args, int count) {
    long long value;
    commands++;
    if (count != 4) return wrong_arity(ctx);
    if (to_number(args[3], &value)) return reply_error(ctx, "ERR it is no number");
    Key *key = open_key(ctx, args[2], READ | WRITE);
    delete_key(key);
    *at(key, 1) = value;
    close_key(key);
    replicate(ctx);
    return reply_simple(ctx, "OK");
}

#define GET(name, place) get_api("RedisModule_" name, &place)

int RedisModule_OnLoad(Ctx *ctx, String **args, int count) {
    (void)args, (void)count;
    get_api = (int (*)(const char *, void *))((void **)ctx)[0];
    GET("SetModuleAttribs", set_attributes);
    GET("CreateCommand", create_command);
    GET("GetCommand", get_command);
    GET("CreateSubcommand", create_subcommand);
    GET("CreateDataType", create_type);
    GET("OpenKey", open_key);
    GET("CloseKey", close_key);
    GET("DeleteKey", delete_key);
    GET("KeyType", key_type);
    GET("ModuleTypeGetType", type_of);
    GET("ModuleTypeGetValue", value_of);
    GET("ModuleTypeSetValue", set_value);
    GET("StringSet", set_string);
    GET("SetExpire", set_expire);
    GET("StringToLongLong", to_number);
    GET("ReplyWithLongLong", reply_number);
    GET("ReplyWithNull", reply_null);
    GET("ReplyWithError", reply_error);
    GET("ReplyWithSimpleString", reply_simple);
    GET("WrongArity", wrong_arity);
    GET("ReplicateVerbatim", replicate);
    GET("SaveSigned", save_signed);
    GET("LoadSigned", load_signed);
    GET("Alloc", take);
    GET("Free", give_back);
    set_attributes(ctx, "probe", 1, API);
    Methods methods = {.version = 1, .load = load, .save = save, .rewrite = rewrite, .release = give_back};
    number = create_type(ctx, "probe-num", 0, &methods);
    if (!number || create_command(ctx, "probe.add", add, "write deny-oom", 1, 1, 1) ||
        create_command(ctx, "probe.get", get, "readonly fast", 1, 1, 1) ||
        create_command(ctx, "probe.move", move, "write deny-oom", 1, -1, 1) ||
        create_command(ctx, "probe.clear", clear, "write", 1, 1, 1) ||
        create_command(ctx, "probe.string", string, "write deny-oom", 1, 1, 1) ||
        create_command(ctx, "probe.die", die, "write", 1, 1, 1) ||
        create_command(ctx, "probe.schema", schema, "write", 0, 0, 0) ||
        create_command(ctx, "probe.count", counted, "readonly", 0, 0, 0) ||
        create_command(ctx, "probe.set", 0, "", 0, 0, 0))
        return MISTAKE;
    return create_subcommand(get_command(ctx, "probe.set"), "number", sub_number, "write", 2, 2, 1);
}
