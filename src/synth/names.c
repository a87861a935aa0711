/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/names.h"

#define LIST(...)                                                                                  \
    { (const char *const[]){ __VA_ARGS__ },                                                        \
      sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *) }

const struct names_ethnicity names_ethnicities[] = {
    { "A", "White - British", 724, NAMES_BRITISH },
    { "B", "White - Irish", 9, NAMES_BRITISH },
    { "C", "White - Any other White background", 65, NAMES_EUROPEAN },
    { "D", "Mixed - White and Black Caribbean", 9, NAMES_BRITISH },
    { "E", "Mixed - White and Black African", 4, NAMES_AFRICAN },
    { "F", "Mixed - White and Asian", 8, NAMES_SOUTH_ASIAN },
    { "G", "Mixed - Any other mixed background", 8, NAMES_EUROPEAN },
    { "H", "Asian or Asian British - Indian", 32, NAMES_SOUTH_ASIAN },
    { "J", "Asian or Asian British - Pakistani", 28, NAMES_SOUTH_ASIAN },
    { "K", "Asian or Asian British - Bangladeshi", 11, NAMES_SOUTH_ASIAN },
    { "L", "Asian or Asian British - Any other Asian background", 17, NAMES_SOUTH_ASIAN },
    { "M", "Black or Black British - Caribbean", 11, NAMES_BRITISH },
    { "N", "Black or Black British - African", 26, NAMES_AFRICAN },
    { "P", "Black or Black British - Any other Black background", 5, NAMES_AFRICAN },
    { "R", "Other Ethnic Groups - Chinese", 8, NAMES_CHINESE },
    { "S", "Other Ethnic Groups - Any other ethnic group", 20, NAMES_EUROPEAN },
    { "Z", "Not stated", 15, NAMES_BRITISH },
};
const size_t names_ethnicities_count = sizeof names_ethnicities / sizeof *names_ethnicities;

const int names_age_bands[19] = { 53, 58, 61, 59, 60, 65, 70, 68, 66, 60, 66, 67, 60, 50, 45, 41,
                                  26, 16, 9 };

const struct names_list names_given[NAMES_GROUPS][2][3] = {
    [NAMES_BRITISH] = {
        { LIST("John", "David", "Peter", "Michael", "Brian", "Alan", "Derek", "Kenneth", "Roy",
               "Ronald", "Dennis", "Raymond", "George", "Frank", "Geoffrey", "Stanley"),
          LIST("Paul", "Andrew", "Stephen", "Mark", "Christopher", "Ian", "Simon", "Darren",
               "Lee", "Craig", "Matthew", "Richard", "James", "Neil", "Gary", "Stuart"),
          LIST("Jack", "Thomas", "Oliver", "Harry", "Joshua", "Daniel", "Alfie", "Charlie",
               "George", "Leo", "Noah", "Archie", "Liam", "Theo", "Finley", "Jacob") },
        { LIST("Margaret", "Jean", "Patricia", "Barbara", "Sheila", "Maureen", "Joan", "Doreen",
               "Brenda", "Sylvia", "Audrey", "Beryl", "Dorothy", "Pamela", "Rita", "Eileen"),
          LIST("Susan", "Tracey", "Sarah", "Nicola", "Joanne", "Karen", "Sharon", "Claire",
               "Emma", "Rachel", "Lisa", "Rebecca", "Michelle", "Amanda", "Helen", "Donna"),
          LIST("Olivia", "Amelia", "Isla", "Grace", "Freya", "Poppy", "Ella", "Lily", "Chloe",
               "Megan", "Jessica", "Ruby", "Evie", "Florence", "Sophie", "Matilda") } },
    [NAMES_SOUTH_ASIAN] = {
        { LIST("Mohammed", "Gurdev", "Abdul", "Ramesh", "Suresh", "Iqbal", "Harbhajan", "Bashir"),
          LIST("Imran", "Sanjay", "Asif", "Rajesh", "Tariq", "Nadeem", "Vikram", "Kamal"),
          LIST("Muhammad", "Arjun", "Ibrahim", "Zain", "Aryan", "Yusuf", "Rohan", "Hamza") },
        { LIST("Nasreen", "Surinder", "Kamla", "Razia", "Shanta", "Khadija", "Gurmeet", "Fatima"),
          LIST("Priya", "Shazia", "Anita", "Rukhsana", "Sunita", "Nazia", "Meera", "Farzana"),
          LIST("Aisha", "Zara", "Maryam", "Anaya", "Inaya", "Diya", "Amina", "Simran") } },
    [NAMES_AFRICAN] = {
        { LIST("Emmanuel", "Kwame", "Samuel", "Joseph", "Babatunde", "Kofi"),
          LIST("Chidi", "Tunde", "Abdi", "Daniel", "Kwabena", "Tendai"),
          LIST("Elijah", "Tobi", "Malik", "Jaden", "Ayo", "Kai") },
        { LIST("Grace", "Comfort", "Esther", "Abena", "Folake", "Mercy"),
          LIST("Ngozi", "Blessing", "Amina", "Chipo", "Yetunde", "Hodan"),
          LIST("Zuri", "Temi", "Naomi", "Imani", "Ada", "Nia") } },
    [NAMES_EUROPEAN] = {
        { LIST("Jan", "Giuseppe", "Stanislaw", "Antonio", "Nikos", "Viktor"),
          LIST("Piotr", "Andrei", "Marco", "Tomasz", "Luis", "Krzysztof"),
          LIST("Filip", "Mateo", "Luca", "Jakub", "Nikolas", "David") },
        { LIST("Maria", "Rosa", "Irena", "Krystyna", "Elena", "Anna"),
          LIST("Agnieszka", "Ioana", "Monika", "Katarzyna", "Carla", "Daniela"),
          LIST("Zofia", "Sofia", "Maja", "Alexandra", "Mia", "Lena") } },
    [NAMES_CHINESE] = {
        { LIST("Wing", "Kwok", "Chi", "Yuk"), LIST("Wei", "Jun", "Ming", "Kevin"),
          LIST("Jason", "Ethan", "Lucas", "Hao") },
        { LIST("Mei", "Siu", "Lai", "Fung"), LIST("Li", "Xiu", "Yan", "Jenny"),
          LIST("Chloe", "Emily", "Yi", "Hannah") } },
};

const struct names_list names_family[NAMES_GROUPS] = {
    [NAMES_BRITISH] = LIST("Smith", "Jones", "Taylor", "Brown", "Williams", "Wilson", "Johnson",
        "Davies", "Robinson", "Wright", "Thompson", "Evans", "Walker", "White", "Roberts",
        "Green", "Hall", "Wood", "Jackson", "Clarke", "Clark", "Harrison", "Scott", "Turner",
        "Hill", "Moore", "Cooper", "Ward", "Morris", "King", "Watson", "Baker", "Harris",
        "Morgan", "Patterson", "Young", "Allen", "Mitchell", "Carter", "Phillips", "Lee",
        "Bell", "Parker", "Bennett", "Shaw", "Cook", "Marshall", "Collins", "Fletcher", "Hudson",
        "Holmes", "Pearson", "Gibson", "Dixon", "Hunt", "Barker", "Webb", "Stone", "O\\u0027Neill",
        "O\\u0027Brien", "Murphy", "Byrne", "Campbell", "Stewart", "Thornley", "Ashworth"),
    [NAMES_SOUTH_ASIAN] = LIST("Khan", "Patel", "Singh", "Hussain", "Ahmed", "Begum", "Ali",
        "Kaur", "Shah", "Akhtar", "Sharma", "Rahman", "Mahmood", "Chowdhury", "Malik", "Gupta",
        "Iqbal", "Uddin", "Desai", "Mistry"),
    [NAMES_AFRICAN] = LIST("Okafor", "Mensah", "Adeyemi", "Mohamed", "Boateng", "Ndlovu", "Osei",
        "Abdi", "Eze", "Kamara", "Moyo", "Balogun"),
    [NAMES_EUROPEAN] = LIST("Kowalski", "Popescu", "Rossi", "Nowak", "Silva", "Ivanov", "Garcia",
        "Wojcik", "Papadopoulos", "Novak", "Haddad", "Yilmaz", "Schmidt", "Ionescu"),
    [NAMES_CHINESE] = LIST("Wong", "Chan", "Li", "Chen", "Zhang", "Cheung", "Lam", "Liu"),
};

const struct names_list names_streets = LIST("Mill", "Station", "Orchard", "Chapel", "Hawthorn",
    "Victoria", "Albert", "Bramble", "Quarry", "Larch", "Weaver", "Tannery", "Beacon", "Sycamore",
    "Fuller", "Priory", "Kiln", "Meadow", "Rowan", "Foundry", "Heron", "Wharf", "Thistle", "Canal");
const struct names_list names_street_kinds = LIST("Road", "Street", "Lane", "Avenue", "Close",
    "Drive", "Terrace", "Gardens", "Way", "Crescent");
const struct names_list names_towns = LIST("NORTHMERE", "WEXLEY", "THORNBECK", "HADDONFIELD",
    "ELMSCOTE", "BRACKENDALE", "SALTERBY", "OAKENSHAW VALE");
