// The firmware of one bud: a Seeed XIAO nRF52840 Sense, whose LSM6DS3TR-C is read at 104 Hz and sent over Bluetooth LE
// in packets of four samples, and over USB in frames of one (docs/device-protocol.md). It measures only while somebody
// listens. Board: "Seeed XIAO nRF52840 Sense" of the package "Seeed nRF52 Boards". See firmware/README.md.

#include <Wire.h>
#include <bluefruit.h>

#include "packet.h"

#ifndef RIGHT
#define RIGHT 0  // 1 for the right bud
#endif

static const char *const NAME = RIGHT ? "imuface-R" : "imuface-L";
static const char SERVICE[] = "80ad8b2a-a910-46cb-8866-903220f44211";
static const char SAMPLES[] = "80ad8b2b-a910-46cb-8866-903220f44211";
static const size_t BATCH = 4;  // samples in a packet; the ATT MTU must be 69 or more

// The sensor (LSM6DS3TR-C datasheet) ----------------------------------------------------------------------------------

static const uint8_t ADDRESS = 0x6A;
enum Register : uint8_t {
    DRDY_PULSE_CFG = 0x0B,
    INT1_CTRL = 0x0D,
    CTRL1_XL = 0x10,
    CTRL2_G = 0x11,
    CTRL3_C = 0x12,
    CTRL6_C = 0x15,
    CTRL7_G = 0x16,
    OUTX_L_G = 0x22,
};
static const uint8_t SETTINGS[][2] = {
    {CTRL3_C, 0x44},         // read both bytes of one sample; addresses count up
    {CTRL6_C, 0x10},         // accelerometer: normal mode, not high performance
    {CTRL7_G, 0x80},         // gyroscope: likewise
    {DRDY_PULSE_CFG, 0x80},  // data ready is a pulse
    {INT1_CTRL, 0x02},       // when the gyroscope has a sample; the accelerometer is in step with it
    {CTRL1_XL, 0x48},        // 104 Hz, +-4 g
    {CTRL2_G, 0x44},         // 104 Hz, +-500 deg/s
};
static const uint8_t OFF[][2] = {{CTRL1_XL, 0x00}, {CTRL2_G, 0x00}};

static void set(const uint8_t (*values)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Wire1.beginTransmission(ADDRESS);
        Wire1.write(values[i], 2);
        Wire1.endTransmission();
    }
}

static void measure(bool on)
{
    if (on)
        set(SETTINGS, sizeof SETTINGS / sizeof *SETTINGS);
    else
        set(OFF, sizeof OFF / sizeof *OFF);
}

// Acceleration, then angular velocity; the registers have them the other way round. False: the bus failed.
static bool read(int16_t imu[6])
{
    Wire1.beginTransmission(ADDRESS);
    Wire1.write(OUTX_L_G);
    if (Wire1.endTransmission(false) != 0 || Wire1.requestFrom(ADDRESS, (uint8_t)12) != 12)
        return false;
    for (int i = 0; i < 6; i++) {
        uint8_t low = Wire1.read();
        imu[(i + 3) % 6] = (int16_t)(low | Wire1.read() << 8);
    }
    return true;
}

// The clock: RTC2 on the crystal, 32768 Hz. micros() counts ticks of 1/1024 s, and the cycle counter stops in sleep. ---

static uint32_t overflows;  // of the 24 bits of the counter: 512 s each
static uint32_t last_count;

static void start_clock()
{
    NRF_RTC2->PRESCALER = 0;
    NRF_RTC2->TASKS_START = 1;
}

// Microseconds since the start. At least one call in 512 s, from one context at a time.
static uint32_t now_us()
{
    uint32_t count = NRF_RTC2->COUNTER;
    overflows += count < last_count;
    last_count = count;
    uint64_t ticks = (uint64_t)overflows << 24 | count;
    return (uint32_t)(ticks * 15625 / 512);
}

static TaskHandle_t reader;
static volatile uint32_t ready_count;  // RTC2 when the sensor last had a sample
static volatile uint32_t ready;        // samples that it has had; what was not read in time shows in the numbers

static void on_data_ready()
{
    ready_count = NRF_RTC2->COUNTER;
    ready = ready + 1;
    BaseType_t woken = pdFALSE;
    vTaskNotifyGiveFromISR(reader, &woken);
    portYIELD_FROM_ISR(woken);
}

// Number of the newest sample, and the microseconds at which the sensor had it.
static uint16_t number_and_time(uint32_t *time_us)
{
    taskENTER_CRITICAL();
    *time_us = now_us();
    uint32_t waited = (last_count - ready_count) & 0xFFFFFF;
    uint16_t number = (uint16_t)ready;
    taskEXIT_CRITICAL();
    *time_us -= (uint32_t)((uint64_t)waited * 15625 / 512);
    return number;
}

// The charge ----------------------------------------------------------------------------------------------------------

// Percent of a lithium cell at rest, by its voltage; between these, a straight line.
static const struct {
    uint16_t millivolts;
    uint8_t percent;
} CHARGE[] = {{3300, 0}, {3600, 10}, {3700, 25}, {3780, 45}, {3850, 60}, {3950, 75}, {4050, 88}, {4170, 100}};

static uint8_t charge()
{
    // 1 MOhm over 510 kOhm halves the voltage to less than 2.4 V, at 12 bits.
    uint32_t millivolts = (uint32_t)analogRead(PIN_VBAT) * 2400 / 4096 * 1510 / 510;
    const size_t count = sizeof CHARGE / sizeof *CHARGE;
    if (millivolts <= CHARGE[0].millivolts)
        return 0;
    for (size_t i = 1; i < count; i++)
        if (millivolts < CHARGE[i].millivolts) {
            uint32_t above = millivolts - CHARGE[i - 1].millivolts;
            uint32_t step = CHARGE[i].millivolts - CHARGE[i - 1].millivolts;
            return CHARGE[i - 1].percent + above * (CHARGE[i].percent - CHARGE[i - 1].percent) / step;
        }
    return 100;
}

// The radio -----------------------------------------------------------------------------------------------------------

static BLEService service(SERVICE);
static BLECharacteristic samples(SAMPLES, CHR_PROPS_NOTIFY, PACKET_SIZE(BATCH));
static BLEBas battery_service;

static void start_radio()
{
    Bluefruit.configPrphConn(PACKET_SIZE(BATCH) + 3, BLE_GAP_EVENT_LENGTH_DEFAULT, 4, 1);
    Bluefruit.autoConnLed(false);
    Bluefruit.begin();
    sd_power_dcdc_mode_set(NRF_POWER_DCDC_ENABLE);
    Bluefruit.setName(NAME);
    Bluefruit.setTxPower(0);
    Bluefruit.Periph.setConnInterval(24, 24);  // of 1.25 ms: 30 ms; a packet takes 38 ms to fill

    battery_service.begin();
    battery_service.write(charge());
    service.begin();
    samples.setPermission(SECMODE_OPEN, SECMODE_NO_ACCESS);
    samples.begin();

    Bluefruit.Advertising.addFlags(BLE_GAP_ADV_FLAGS_LE_ONLY_GENERAL_DISC_MODE);
    Bluefruit.Advertising.addService(service);
    Bluefruit.ScanResponse.addName();
    Bluefruit.Advertising.restartOnDisconnect(true);
    Bluefruit.Advertising.setInterval(160, 1636);  // of 0.625 ms: 0.1 s, after 30 s 1.02 s
    Bluefruit.Advertising.setFastTimeout(30);
    Bluefruit.Advertising.start(0);
}

// The work ------------------------------------------------------------------------------------------------------------

static bool listened()
{
    return samples.notifyEnabled() || Serial;
}

static uint8_t battery = BATTERY_UNKNOWN;

static void look_at_the_battery()
{
    static uint32_t looked_us;
    if (battery != BATTERY_UNKNOWN && now_us() - looked_us < 60000000)
        return;
    looked_us = now_us();
    battery = charge();
    battery_service.write(battery);
    battery_service.notify(battery);
}

static void notify(uint16_t first, const struct imu_sample *batch, size_t count)
{
    uint8_t packet[PACKET_SIZE(BATCH)];
    samples.notify(packet, encode_packet(packet, RIGHT, first, batch, count, battery));
}

static size_t filled;  // samples in the batch

static void send(uint16_t sequence, const struct imu_sample &sample)
{
    static struct imu_sample batch[BATCH];
    static uint16_t first;  // number of the first sample of the batch

    if (Serial && Serial.availableForWrite() >= FRAME_SIZE) {
        uint8_t frame[FRAME_SIZE];
        encode_frame(frame, RIGHT, sequence, &sample, battery);
        Serial.write(frame, FRAME_SIZE);
    }
    // What has gathered before a gap goes out as it is: the samples of a packet follow one another.
    if (filled && ((uint16_t)(first + filled) != sequence || sample.time_us - batch[filled - 1].time_us > 60000)) {
        notify(first, batch, filled);
        filled = 0;
    }
    if (!filled)
        first = sequence;
    batch[filled++] = sample;
    if (filled == BATCH) {
        notify(first, batch, filled);
        filled = 0;
    }
}

void setup()
{
    reader = xTaskGetCurrentTaskHandle();
    Serial.begin(115200);
    pinMode(VBAT_ENABLE, OUTPUT);
    digitalWrite(VBAT_ENABLE, LOW);  // always: if it were high, a full cell would put more than its supply on the input
    analogReference(AR_INTERNAL_2_4);
    analogReadResolution(12);
    pinMode(PIN_LSM6DS3TR_C_POWER, OUTPUT);
    digitalWrite(PIN_LSM6DS3TR_C_POWER, HIGH);
    delay(20);  // the sensor boots
    Wire1.begin();
    Wire1.setClock(400000);
    measure(false);
    start_radio();
    start_clock();
    pinMode(PIN_LSM6DS3TR_C_INT1, INPUT);
    attachInterrupt(digitalPinToInterrupt(PIN_LSM6DS3TR_C_INT1), on_data_ready, RISING);
}

void loop()
{
    static bool measuring;

    if (listened() != measuring) {
        measuring = !measuring;
        filled = 0;
        measure(measuring);
    }
    // Asleep until the sensor has a sample, or for as long as it may take to notice that somebody listens.
    bool sampled = ulTaskNotifyTake(pdTRUE, pdMS_TO_TICKS(100)) != 0;
    look_at_the_battery();
    if (!sampled || !measuring)
        return;

    static uint16_t sent;
    struct imu_sample sample;
    uint16_t sequence;
    do {  // until no newer sample has come in between: what was read may be that one, or a part of it
        sequence = number_and_time(&sample.time_us);
        if (sequence == sent || !read(sample.imu))
            return;
    } while (sequence != (uint16_t)ready);
    sent = sequence;
    send(sequence, sample);
}
